"""A language model that streams its answers, and is told later how users like them."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, Response, abort, request

from feedback import item_of, new_prediction, send

RELEASE = os.environ["RELEASE"]
app = Flask(__name__)
# Users do not wait until feedback is taken.
later = ThreadPoolExecutor(4)


def model(prompt):
    yield from ["You", "asked", prompt]


@app.post("/answer")
def answer():
    prompt = request.get_json()["prompt"]
    prediction = new_prediction("assistant", request.headers["x-bluegreen-color"], RELEASE)

    def events():
        try:
            for token in model(prompt):
                yield f"data: {json.dumps(token)}\n\n"
            yield "data: [DONE]\n\n"
        except Exception as error:
            yield f"event: error\ndata: {json.dumps(str(error))}\n\n"

    return Response(events(), content_type="text/event-stream", headers={"x-answer-id": prediction})


@app.post("/rating/<prediction>")
def rating(prediction):
    item = item_of(prediction) or abort(404)
    later.submit(send, [item | {"scores": {"rating": [request.get_json()["stars"]]}}])
    return "", 204
