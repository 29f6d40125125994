"""ONNX: models exported from scikit-learn, and served with onnxruntime."""
