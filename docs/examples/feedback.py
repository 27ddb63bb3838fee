"""What services and jobs share: signed ids of predictions, and feedback that is sent until it is taken."""

import logging
import os
import time
import uuid

import requests
from itsdangerous import BadSignature, URLSafeSerializer

URL = os.environ.get("FEEDBACK_URL", "http://127.0.0.1:10000/bluegreen/feedback")
TOKEN = os.environ["FEEDBACK_TOKEN"]
# Both colors have the same, so that each can be told the truth of what the other has predicted.
signer = URLSafeSerializer(TOKEN)


def new_prediction(rollout, color, release):
    """The id of a prediction, for the page: with the color and release that made it."""
    return signer.dumps([rollout, color, release, uuid.uuid4().hex])


def item_of(prediction):
    """What feedback on a prediction begins with; None for an id that no service has made."""
    try:
        rollout, color, release, number = signer.loads(prediction)
    except BadSignature:
        return None
    return {"rollout": rollout, "color": color, "release": release, "id": number}


def send(items, tries=6):
    """Whether the items were taken. They are not where their release is over; all items of a call have the same."""
    for attempt in range(tries):
        try:
            answer = requests.post(URL, json=items, headers={"x-bluegreen-token": TOKEN}, timeout=5)
        except requests.RequestException as error:
            logging.warning("feedback: %s", error)
        else:
            if answer.status_code in (204, 409):
                return answer.status_code == 204
            logging.warning("feedback: %s %s", answer.status_code, answer.text)
            if answer.status_code < 500:
                raise ValueError(answer.text)
        time.sleep(2**attempt / 10)
    raise TimeoutError("feedback was not taken")
