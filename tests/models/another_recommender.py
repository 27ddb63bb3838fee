"""The recommender with a model that agrees with the other one on no user."""

import recommender

recommender.model = lambda user: ["c", "b", "a"]
app = recommender.app
