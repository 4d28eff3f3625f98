#!/usr/bin/env bash
# onnx 1.23.2 (PyPI wheel), version_converter.convert_version(): converted models pass the checker and run in ONNX Runtime
# 1.32.0, and some compute other numbers, without an error or a warning.
#
# The guess before it was run: the converter keeps what the model computes, or says that it cannot.
#
# The reason: it changes names and versions where the meaning changed too. Up to version 10 an enlarged pixel lies at
# x / scale; Resize 11 has the attribute coordinate_transformation_mode, whose default is another place. Softmax,
# LogSoftmax and Hardmax before 13 normalise over all axes from `axis` on, and since 13 over one.
#
# What follows for users: compare the outputs before and after a conversion. Export again in the wanted version instead.
#
# What was seen, as the largest difference of the outputs over random inputs of about unit size:
#   Upsample, linear      9 to 11    1.5
#   Resize, linear       10 to 11    1.5
#   Hardmax, axis 1      11 to 13    1
#   Softmax, axis 1      13 to 12    0.85
#   Softmax, axis 1      11 to 13    0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 60 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install onnx==1.23.2 onnxruntime==1.32.0 numpy==2.2.6

cat >"$folder/convert.py" <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, shape_inference, version_converter

SHAPE = [2, 4, 6, 6]
images = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), 'scales')


def outputs(model):
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    return session.run(None, {'x': images})[0]


def difference(operator, before, after, **attributes):
    inputs = ['x', 'scales'] if operator in ('Upsample', 'Resize') else ['x']
    shape = SHAPE[:2] + [2 * side for side in SHAPE[2:]] if len(inputs) == 2 else SHAPE
    graph = helper.make_graph([helper.make_node(operator, inputs, ['y'], **attributes)], 'g',
                              [helper.make_tensor_value_info('x', TensorProto.FLOAT, SHAPE)],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, shape)], [scales][:len(inputs) - 1])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', before)], ir_version=8)
    model = shape_inference.infer_shapes(model)
    apart = float(np.abs(outputs(model) - outputs(version_converter.convert_version(model, after))).max())
    print(f'{operator:10} {before:2} to {after:2}   largest difference {apart:.2g}')
    return apart


print('onnx', onnx.__version__, 'onnxruntime', onnxruntime.__version__)
changed = [difference('Upsample', 9, 11, mode='linear'), difference('Resize', 10, 11, mode='linear'),
           difference('Hardmax', 11, 13, axis=1), difference('Softmax', 13, 12, axis=1)]
kept = difference('Softmax', 11, 13, axis=1)
sys.exit(0 if min(changed) > 0.1 and kept < 1e-6 else 1)
PYTHON
"$folder/venv/bin/python" "$folder/convert.py"
