"""What makes layers of the operations of ONNX, and of those of ``com.microsoft``."""
