#!/usr/bin/env bash
# onnxslim 0.1.98 and onnx-graphsurgeon 0.6.1 (PyPI wheels), which make ONNX models smaller: nodes that draw random numbers are computed
# once and stored as constants, so the simplified generator uses the same noise for ever. onnxslim also takes Dropout out that is in
# training mode, and onnxscript 0.7.2 freezes Bernoulli. There is no error and no warning. onnxsim 0.8.1 keeps all of them.
#
# The guess before it was run: RandomNormal, RandomUniform, RandomNormalLike, RandomUniformLike and Bernoulli stay nodes, as their values are
# not constant, and so does Dropout whose training mode is on.
#
# The reason, inferred from what was seen: a node without inputs, or with constant ones only, counts as a constant. The noise of a
# generator that is exported for a fixed size has a constant shape.
#
# What follows for users: StyleGAN's noise of each layer becomes one fixed pattern in all images, and the dropout that is the
# latent of pix2pix is gone. The image looks right, and the variety is smaller. Pass skip_optimizations=['constant_folding'] to
# onnxslim.slim(), and should_exclude_node to fold_constants(), and run a simplified model twice with the same input.
#
# What was seen: whether the output still varies, with the same input, in ONNX Runtime 1.32.0
#                                as exported   onnxsim   onnxslim   onnx-graphsurgeon   onnxscript
#   RandomNormal                 varies        varies    fixed      fixed               varies
#   RandomUniform                varies        varies    fixed      fixed               varies
#   RandomNormalLike             varies        varies    fixed      fixed               varies
#   RandomUniformLike            varies        varies    fixed      fixed               varies
#   Bernoulli                    varies        varies    fixed      fixed               fixed
#   Dropout, training mode       varies        varies    fixed      varies              varies
#   RandomNormal, as advised     varies                  varies     varies
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 70 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile onnx==1.23.2 onnxruntime==1.32.0 onnxslim==0.1.98 \
  onnxsim==0.8.1 onnx-graphsurgeon==0.6.1 onnxscript==0.7.2 numpy==2.4.6

cat >"$folder/noise.py" <<'PYTHON'
import sys

import numpy
import onnx
import onnx_graphsurgeon
import onnxruntime
import onnxscript.optimizer
import onnxsim
import onnxslim
from onnx import helper, numpy_helper

SHAPE = (1, 16)
RANDOM = ('RandomNormal', 'RandomUniform', 'RandomNormalLike', 'RandomUniformLike', 'Bernoulli')


def generator(kind):
    """A model that adds noise of a fixed shape to its input, or that has a Dropout in training mode."""
    constants = {'half': numpy.full(SHAPE, 0.5, numpy.float32), 'ratio': numpy.array(0.5, numpy.float32), 'training': numpy.array(True)}
    inputs = {'RandomNormal': [], 'RandomUniform': [], 'Dropout': ['latent', 'ratio', 'training']}.get(kind, ['half'])
    nodes = [helper.make_node(kind, inputs, ['noise'], **({} if inputs else {'shape': SHAPE})),
             helper.make_node('Add', ['latent', 'noise'], ['image'])]
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, SHAPE) for name in ('latent', 'image')]
    stored = [numpy_helper.from_array(constants[name], name) for name in inputs if name in constants]
    model = helper.make_model(helper.make_graph(nodes, 'generator', values[:1], values[1:], stored), ir_version=9,
                              opset_imports=[helper.make_opsetid('', 18)])
    onnx.checker.check_model(model)
    return model


def varies(model):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    images = [session.run(None, {'latent': numpy.ones(SHAPE, numpy.float32)})[0] for _ in range(6)]
    return any(not numpy.array_equal(images[0], image) for image in images)


def surgeon(model, **options):
    return onnx_graphsurgeon.export_onnx(onnx_graphsurgeon.import_onnx(model).fold_constants(**options).cleanup())


tools = {'as exported': lambda model: model, 'onnxsim': lambda model: onnxsim.simplify(model)[0], 'onnxslim': onnxslim.slim,
         'onnx-graphsurgeon': surgeon, 'onnxscript': onnxscript.optimizer.optimize}
fixed = {'onnxslim': (*RANDOM, 'Dropout'), 'onnx-graphsurgeon': RANDOM, 'onnxscript': ('Bernoulli',)}
right = True
for kind in (*RANDOM, 'Dropout'):
    seen = {tool: varies(simplify(generator(kind))) for tool, simplify in tools.items()}
    print(f'{kind:18}', *(f'{tool} {"varies" if moving else "fixed"}.' for tool, moving in seen.items()))
    right = right and seen == {tool: kind not in fixed.get(tool, ()) for tool in tools}
advised = [varies(onnxslim.slim(generator('RandomNormal'), skip_optimizations=['constant_folding'])),
           varies(surgeon(generator('RandomNormal'), should_exclude_node=lambda node: node.op in RANDOM))]
print('RandomNormal varies without folding:', advised)
sys.exit(0 if right and advised == [True, True] else 1)
PYTHON
cd "$folder"
venv/bin/python -W error noise.py
