"""Functions of TensorFlow on the tensors of a Keras 2 model, ``TFOpLambda``: each is one of ``keras.ops``."""

from __future__ import annotations

FUNCTIONS = {
    "__operators__.add": "numpy.Add", "math.add": "numpy.Add", "add": "numpy.Add",
    "math.multiply": "numpy.Multiply", "multiply": "numpy.Multiply", "math.subtract": "numpy.Subtract",
    "subtract": "numpy.Subtract", "math.truediv": "numpy.Divide", "math.divide": "numpy.Divide",
    "math.divide_no_nan": "numpy.Divide", "math.floordiv": "numpy.FloorDivide", "math.pow": "numpy.Power",
    "math.maximum": "numpy.Maximum", "math.minimum": "numpy.Minimum", "math.abs": "numpy.Abs",
    "math.negative": "numpy.Negative", "math.sqrt": "numpy.Sqrt", "math.rsqrt": "math.Rsqrt",
    "math.square": "numpy.Square", "math.exp": "numpy.Exp", "math.log": "numpy.Log", "math.sign": "numpy.Sign",
    "math.sin": "numpy.Sin", "math.cos": "numpy.Cos", "math.greater": "numpy.Greater", "math.less": "numpy.Less",
    "math.equal": "numpy.Equal", "math.not_equal": "numpy.NotEqual", "clip_by_value": "numpy.Clip",
    "where": "numpy.Where", "math.tanh": "numpy.Tanh", "nn.tanh": "numpy.Tanh", "nn.relu": "nn.Relu",
    "nn.relu6": "nn.Relu6", "nn.leaky_relu": "nn.LeakyRelu", "nn.elu": "nn.Elu", "nn.selu": "nn.Selu",
    "nn.gelu": "nn.Gelu", "nn.silu": "nn.Silu", "nn.swish": "nn.Silu", "math.sigmoid": "nn.Sigmoid",
    "nn.sigmoid": "nn.Sigmoid", "math.softplus": "nn.Softplus", "nn.softmax": "nn.Softmax",
    "nn.log_softmax": "nn.LogSoftmax", "math.reduce_mean": "numpy.Mean", "math.reduce_sum": "numpy.Sum",
    "math.reduce_max": "numpy.Max", "math.reduce_min": "numpy.Min", "math.reduce_prod": "numpy.Prod",
    "math.reduce_std": "numpy.Std", "math.reduce_variance": "numpy.Var", "math.argmax": "numpy.Argmax",
    "concat": "numpy.Concatenate", "stack": "numpy.Stack", "reshape": "numpy.Reshape", "squeeze": "numpy.Squeeze",
    "transpose": "numpy.Transpose", "expand_dims": "numpy.ExpandDims", "tile": "numpy.Tile", "pad": "numpy.Pad",
    "split": "numpy.Split", "unstack": "core.Unstack", "linalg.matmul": "numpy.Matmul", "einsum": "numpy.Einsum",
    "cast": "core.Cast", "identity": "core.Cast", "stop_gradient": "core.StopGradient", "one_hot": "nn.OneHot",
    "image.resize": "image.Resize", "nn.depth_to_space": "nn.DepthToSpace", "nn.space_to_depth": "nn.SpaceToDepth",
    "linalg.l2_normalize": "nn.Normalize", "math.l2_normalize": "nn.Normalize",
    "__operators__.getitem": "numpy.GetItem",
}  # fmt: skip
"""Names of TensorFlow, and the module and class that is read in place."""

ARGUMENTS = {
    "axes": "perm", "pad_width": "paddings", "repeats": "multiples", "indices_or_sections": "num_or_size_splits",
    "num_classes": "depth", "key": "slice_spec", "subscripts": "equation", "newshape": "shape",
}  # fmt: skip
"""What TensorFlow calls arguments of ``keras.ops``."""
CLASSES = ("TFOpLambda", "SlicingOpLambda")
