"""Language models: what answers the requests of `ports/llm.py`, one file for each way to reach a model."""
