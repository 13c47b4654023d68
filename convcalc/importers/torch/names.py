"""Names of operations that have one rule in common."""

from __future__ import annotations

ACTIVATIONS = {name: name for name in (
    "relu", "relu6", "leaky_relu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid", "tanh",
    "hardswish", "hardsigmoid", "hardtanh", "hardshrink", "softshrink", "softplus", "softsign", "threshold",
)} | {
    "log_sigmoid": "logsigmoid", "rrelu_with_noise": "rrelu",
}  # fmt: skip
"""What activations are as layers."""
FUNCTIONS = {name: name for name in (
    "abs", "neg", "sign", "reciprocal", "square", "sqrt", "rsqrt", "exp", "log", "log2", "sin", "cos", "tan",
    "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "floor", "ceil", "round", "isnan",
    "isinf", "logical_not", "bitwise_not", "sub", "div", "pow", "atan2", "eq", "ne", "lt", "le", "gt", "ge",
    "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "where", "clamp",
)} | {
    "sgn": "sign", "exp2": "exp", "expm1": "exp", "log1p": "log", "log10": "log", "trunc": "round", "fix": "round",
    "rsub": "sub", "subtract": "sub", "divide": "div", "true_divide": "div", "floor_divide": "div",
    "negative": "neg", "absolute": "abs", "remainder": "mod", "fmod": "mod", "clamp_min": "clamp",
    "clamp_max": "clamp", "clip": "clamp", "maximum": "max", "minimum": "min", "fmax": "max", "fmin": "min",
    "masked_fill": "where", "erfinv": "erf", "erfc": "erf", "float_power": "pow", "isfinite": "isinf",
    "arctan2": "atan2", "not_equal": "ne", "greater": "gt", "less": "lt", "greater_equal": "ge", "less_equal": "le",
    "frac": "floor", "nan_to_num": "where", "logit": "log", "bitwise_left_shift": "bitwise_shift",
    "bitwise_right_shift": "bitwise_shift", "__lshift__": "bitwise_shift", "__rshift__": "bitwise_shift",
    "__and__": "bitwise_and", "__or__": "bitwise_or", "__xor__": "bitwise_xor", "lgamma": "log", "digamma": "log",
    "sinc": "sin", "deg2rad": "abs", "rad2deg": "abs",
}  # fmt: skip
"""What functions of elements are as layers."""
REDUCTIONS = {name: name for name in (
    "mean", "sum", "prod", "max", "min", "any", "all", "norm", "var", "std", "argmax", "argmin",
)} | {
    "nansum": "sum", "amax": "max", "amin": "min", "linalg_vector_norm": "norm", "frobenius_norm": "norm",
    "var_mean": "var", "std_mean": "std", "logsumexp": "log_sum_exp", "median": "mean", "aminmax": "max",
    "linalg_norm": "norm", "nanmean": "mean",
}  # fmt: skip
"""What reductions are as layers."""
PASSED_ON = (
    "_assert_aliasing", "_assert_async", "_assert_scalar", "_assert_tensor_metadata", "_conj", "_to_copy", "alias",
    "alpha_dropout", "bool", "clone", "conj", "conj_physical", "contiguous", "cpu", "cuda", "detach", "double",
    "dropout", "embedding_renorm", "feature_alpha_dropout", "feature_dropout", "float", "half", "int", "lift_fresh",
    "lift_fresh_copy", "long", "native_dropout", "pin_memory", "positive", "requires_grad", "resolve_conj",
    "resolve_neg", "to", "type_as",
)  # fmt: skip
"""Operations that give what they read."""
FREE = (
    "_unsafe_index_put", "_weight_norm", "_weight_norm_interface", "affine_grid_generator", "angle", "argsort",
    "as_strided", "as_strided_scatter", "binary_cross_entropy", "binary_cross_entropy_with_logits", "bincount",
    "bucketize", "complex", "copysign", "cosine_similarity", "count_nonzero", "cross", "cross_entropy_loss",
    "ctc_loss", "cummax", "cummin", "diag", "diag_embed", "diagonal", "diagonal_scatter", "diff", "dist",
    "fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine", "fractional_max_pool2d",
    "fractional_max_pool3d", "frexp", "ger", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "heaviside",
    "histc", "histogram", "hypot", "i0", "igamma", "igammac", "imag", "index_add", "index_copy", "index_fill",
    "index_put", "index_reduce", "isclose", "isin", "kl_div", "kron", "kthvalue", "l1_loss", "linalg_cross",
    "logaddexp", "logaddexp2", "masked_scatter", "max_unpool2d", "max_unpool3d", "mode", "mse_loss", "msort",
    "multinomial", "nanmedian", "nextafter", "nll_loss", "nll_loss_nd", "nonzero_static", "normal", "one_hot",
    "outer", "pairwise_distance", "polar", "polygamma", "put", "real", "renorm", "resize", "resize_as", "rot90",
    "scatter", "scatter_add", "scatter_reduce", "searchsorted", "segment_reduce", "signbit", "smooth_l1_loss",
    "sort", "topk", "torchvision.ps_roi_align", "torchvision.ps_roi_pool", "torchvision.roi_align",
    "torchvision.roi_pool", "trace", "tril", "triu", "unfold", "unique", "view_as_complex", "view_as_real", "xlogy",
)  # fmt: skip
"""Choosing, sorting, scattering, interpolation, losses: none multiplies weights or activations as a layer does."""
ANEW = (
    "bernoulli", "empty_like", "exponential", "fill", "full_like", "new_empty", "new_empty_strided", "new_full",
    "new_ones", "new_tensor", "new_zeros", "normal_functional", "ones_like", "rand_like", "randint_like",
    "randn_like", "random", "scalar_tensor", "size", "uniform", "zero", "zeros_like",
)  # fmt: skip
"""Tensors of a given shape whose elements have nothing to do with what is read."""
CONSTANTS = (
    "_efficientzerotensor", "arange", "combinations", "empty", "empty_strided", "eye", "full", "hamming_window",
    "hann_window", "linspace", "logspace", "ones", "rand", "randint", "randn", "randperm", "range", "tensor",
    "tril_indices", "triu_indices", "zeros",
)  # fmt: skip
"""Tensors that are made of numbers alone."""
