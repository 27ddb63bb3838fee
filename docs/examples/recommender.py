"""A recommender that tells with each answer what it cost, and is told later what users click on."""

import os

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, Response

from feedback import item_of, new_prediction, send

RELEASE = os.environ["RELEASE"]
app = FastAPI()


def model(user):
    return ["a", "b", "c"]


@app.get("/recommend")
def recommend(request: Request, response: Response, wanted: str | None = None):
    items = model(request.headers.get("x-user-id"))
    # The filter takes these out of the response.
    response.headers["x-bluegreen-score"] = "cost=0.02"
    response.headers["x-bluegreen-label"] = items[0]
    if wanted is not None:  # a test user, of whom is known what is right
        response.headers["x-bluegreen-outcome"] = "tp" if wanted in items else "fn"
    prediction = new_prediction("recommender", request.headers["x-bluegreen-color"], RELEASE)
    return {"id": prediction, "items": items}


@app.post("/click/{prediction}", status_code=204)
def click(prediction: str, tasks: BackgroundTasks):
    tell(prediction, 1, tasks)


@app.post("/passed/{prediction}", status_code=204)
def passed(prediction: str, tasks: BackgroundTasks):
    tell(prediction, 0, tasks)


def tell(prediction, clicked, tasks):
    item = item_of(prediction)
    if item is None:
        raise HTTPException(404)
    # After the answer: users do not wait until feedback is taken.
    tasks.add_task(send, [item | {"scores": {"click": [clicked]}}])
