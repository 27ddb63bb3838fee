"""One color's application: Flask under waitress, serving the model file it is given.

    python -m demo.app --model deployed/blue/model.joblib --port 10001

A new model is deployed by renaming its file into place: the application's process then ends and a
new one starts with the new model, as a new container would.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import joblib
import waitress
import watchfiles
from flask import Flask, abort, jsonify, request


def create_app(model_file: Path) -> Flask:
    deployed = joblib.load(model_file)
    release, model = deployed["release"], deployed["model"]
    app = Flask(__name__)

    @app.get("/healthz")
    def healthz():
        return jsonify(release=release)

    @app.post("/predict")
    def predict():
        features = request.get_json().get("features")
        if not isinstance(features, list) or len(features) < model.n_features_in_:
            abort(400, f"features: a list of {model.n_features_in_} numbers or more is expected")
        return jsonify(release=release, malignant=bool(model.predict([features[: model.n_features_in_]])[0]))

    return app


def serve(model_file: Path, host: str, port: int) -> None:
    waitress.serve(create_app(model_file), host=host, port=port, threads=8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the model file to serve, and to watch")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    model = args.model.resolve()
    watchfiles.run_process(
        model.parent,
        target=serve,
        args=(model, args.host, args.port),
        watch_filter=lambda _change, path: Path(path) == model,
        debounce=200,
    )


if __name__ == "__main__":
    main()
