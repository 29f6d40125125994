"""Language models: what answers the requests of `ports/llm.py`, each file imported only once such a model is asked."""
