"""Language models: each file but the door `pydantic_ai.py` imports Pydantic AI, and is itself imported only once a model is asked."""
