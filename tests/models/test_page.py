import re

from stage import EXAMPLES, ROOT


def test_the_page_shows_the_examples_as_they_are():
    page = (ROOT / "docs" / "models.md").read_text()
    shown = re.findall(r"\[`(\w+\.py)`\]\(examples/(\w+\.py)\).*?```python\n(.*?)```\n", page, re.DOTALL)
    assert page.count("```python\n") == len(shown)
    assert all(name == target for name, target, _ in shown)
    files = {path.name: path.read_text() for path in EXAMPLES.iterdir() if path.suffix == ".py"}
    assert {name: text for name, _, text in shown} == files
