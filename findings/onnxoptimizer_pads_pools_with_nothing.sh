#!/usr/bin/env bash
# onnxoptimizer 0.4.2 (PyPI wheel), optimize() as it is: a Pad with zeros before a MaxPool is merged into the pool, and the
# model computes other numbers, without an error or a warning. Before an AveragePool the merge is right.
#
# The guess before it was run: what optimize() merges by default computes the same.
#
# The reason: the padding of a MaxPool counts as minus infinity and not as 0. Where all values under the window are negative,
# the maximum was 0 before.
#
# What follows for users: a network that pads with zeros and then takes a maximum changes at its borders, unless its values
# passed a Relu; a discriminator's pass LeakyRelu. Compare the outputs before and after. onnxslim 0.1.98 keeps the numbers.
#
# What was seen, for 4 x 4 values between -2 and -1, padded by 1, with a window of 3, in ONNX Runtime 1.32.0:
#   MaxPool       before: first row 0 0 0 0; after optimize(): between -2 and -1
#   AveragePool   difference 0
#   MaxPool, onnxslim   difference 0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 65 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile onnx==1.23.2 onnxruntime==1.32.0 numpy==2.2.6 \
  onnxoptimizer==0.4.2 onnxslim==0.1.98

cat >"$folder/optimize.py" <<'PYTHON'
import sys

import numpy as np
import onnxoptimizer
import onnxruntime
import onnxslim
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

x = -1 - np.random.default_rng(0).random((1, 1, 4, 4)).astype(np.float32)


def run(model):
    checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    return session.run(None, {'x': x})[0]


def model(pool):
    info = helper.make_tensor_value_info
    nodes = [helper.make_node('Pad', ['x', 'pads'], ['a']), helper.make_node(pool, ['a'], ['y'], kernel_shape=[3, 3])]
    graph = helper.make_graph(nodes, 'g', [info('x', TensorProto.FLOAT, x.shape)], [info('y', TensorProto.FLOAT, [1, 1, 4, 4])],
                              [numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1]), 'pads')])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=8)


seen = {}
for name, pool, change in (('MaxPool', 'MaxPool', onnxoptimizer.optimize),
                           ('AveragePool', 'AveragePool', onnxoptimizer.optimize),
                           ('MaxPool, onnxslim', 'MaxPool', onnxslim.slim)):
    before = model(pool)
    after = change(ModelProto.FromString(before.SerializeToString()))
    a, b = run(before), run(after)
    seen[name] = float(np.abs(a - b).max())
    print(f'{name:20} nodes {[node.op_type for node in after.graph.node]}, difference {seen[name]:.2g}')
    print('   first row before', a[0, 0, 0], 'after', b[0, 0, 0])
sys.exit(0 if seen['MaxPool'] >= 1 and seen['AveragePool'] < 1e-6 and seen['MaxPool, onnxslim'] == 0 else 1)
PYTHON
"$folder/venv/bin/python" "$folder/optimize.py"
