"""An AI model deployed blue/green behind Envoy with the bluegreen filter. Start with story.py."""
