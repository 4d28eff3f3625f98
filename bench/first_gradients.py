"""The gradient of a run's first step, from its checkpoint: after that step Adam's first moment is a fixed fraction of
it."""
import numpy as np
from safetensors.numpy import load_file


def gradient(run, network):
    """All parameters of 'generator' or 'discriminator' in one row."""
    tensors = {}
    for part in (run / 'checkpoints' / 'step-00000001').glob('part-*.safetensors'):
        tensors |= load_file(part)
    prefix = f'{network}_adam.exp_avg.'
    return np.concatenate([tensors[name].ravel() for name in sorted(tensors) if name.startswith(prefix)]).astype(float)


def cosine(run, other, network):
    a, b = gradient(run, network), gradient(other, network)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))
