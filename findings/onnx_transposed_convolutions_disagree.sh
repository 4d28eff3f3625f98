#!/usr/bin/env bash
# onnx 1.23.2 and ONNX Runtime 1.32.0 (PyPI wheels) disagree about valid ConvTranspose nodes. ONNX's reference evaluator
# shifts the image by one pixel, and ONNX's shape inference, also a strict one, finds a size that the Runtime does not make.
#
# The guess before it was run: the reference evaluator, the shape inference and the Runtime agree on every valid node.
#
# The reason: where the padding is odd, the standard says which side gets the larger half, and the evaluator does
# otherwise. Where `auto_pad` is SAME, the output is stride times the input, and the inference adds output_padding to it.
#
# What follows for users: give `pads` explicitly, as PyTorch's exporters do, and neither auto_pad nor output_shape.
#
# What was seen, for a 5 x 5 input, a kernel of 3, stride 2, output_padding 1:
#   explicit pads 1                    same numbers, inferred 10 x 10, Runtime 10 x 10
#   output_shape 11                    numbers differ by up to 10, and by 0 after a shift by one pixel
#   auto_pad SAME_UPPER                inferred 11 x 11, Runtime 10 x 10
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 60 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install onnx==1.23.2 onnxruntime==1.32.0 numpy==2.2.6

cat >"$folder/compare.py" <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, shape_inference
from onnx.reference import ReferenceEvaluator

random = np.random.default_rng(0)
feed = {'x': random.standard_normal((1, 4, 5, 5)).astype(np.float32),
        'w': random.standard_normal((4, 3, 3, 3)).astype(np.float32)}


def compare(name, **attributes):
    node = helper.make_node('ConvTranspose', ['x', 'w'], ['y'], strides=[2, 2], output_padding=[1, 1], **attributes)
    inputs = [helper.make_tensor_value_info(key, TensorProto.FLOAT, value.shape) for key, value in feed.items()]
    output = helper.make_tensor_value_info('y', TensorProto.FLOAT, [None, None, None, None])
    model = helper.make_model(helper.make_graph([node], 'g', inputs, [output]),
                              opset_imports=[helper.make_opsetid('', 20)], ir_version=9)
    onnx.checker.check_model(model)
    inferred = shape_inference.infer_shapes(model, strict_mode=True).graph.output[0].type.tensor_type.shape
    inferred = tuple(side.dim_value for side in inferred.dim)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    runtime, reference = session.run(None, feed)[0], ReferenceEvaluator(model).run(None, feed)[0]
    apart = float(np.abs(runtime - reference).max()) if runtime.shape == reference.shape else None
    print(f'{name:22} inferred {inferred[2:]} Runtime {runtime.shape[2:]} evaluator {reference.shape[2:]} '
          f'largest difference {apart if apart is None else round(apart, 6)}')
    return inferred == runtime.shape, apart, runtime, reference


print('onnx', onnx.__version__, 'onnxruntime', onnxruntime.__version__)
same_shape, apart, _, _ = compare('pads 1', pads=[1, 1, 1, 1])
plain = same_shape and apart < 1e-4
_, apart, runtime, reference = compare('output_shape 11', output_shape=[11, 11])
moved = float(np.abs(runtime[..., :-1, :-1] - reference[..., 1:, 1:]).max())
moved = min(moved, float(np.abs(runtime[..., 1:, 1:] - reference[..., :-1, :-1]).max()))
print(f'                       largest difference after a shift by one pixel {moved:.0e}')
same_shape, _, _, _ = compare('auto_pad SAME_UPPER', auto_pad='SAME_UPPER')
sys.exit(0 if plain and apart > 1 and moved < 1e-4 and not same_shape else 1)
PYTHON
"$folder/venv/bin/python" "$folder/compare.py"
