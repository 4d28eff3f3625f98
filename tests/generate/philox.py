"""The counter-based numbers of trainer/data/sampler.h, written again from their description: Philox4x32-10 (Salmon et al.,
SC 2011) under a key from SplitMix64, uniform with 53 bits, normal by Box-Muller."""
import numpy as np

LATENT_D, FIXED_LATENTS, STATISTICS, CLASS = 2, 6, 9, 13
MASK = 2 ** 64 - 1


def philox(key, high, low):
    c = [low & 0xFFFFFFFF, low >> 32, high & 0xFFFFFFFF, high >> 32]
    k = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(q >> 32) ^ c[1] ^ k[0], q & 0xFFFFFFFF, (p >> 32) ^ c[3] ^ k[1], p & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def key_of(seed, stream):
    def mix(x):
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
        x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
        return x ^ x >> 31
    return mix((mix((seed + 0x9E3779B97F4A7C15) & MASK) + stream) & MASK)


def uniform(seed, stream, cursor, sample):
    words = philox(key_of(seed, stream), cursor, sample << 32)
    return ((words[1] << 32 | words[0]) >> 11) * 2.0 ** -53


def normal(seed, stream, cursor, count):
    values = []
    for block in range(-(-count // 4)):
        words = philox(key_of(seed, stream), cursor, block)
        for a, b in (words[:2], words[2:]):
            radius = np.sqrt(-2 * np.log((a + 0.5) * 2.0 ** -32))
            angle = 2 * np.pi * (b >> 8) * 2.0 ** -24
            values += [radius * np.cos(angle), radius * np.sin(angle)]
    return np.array(values[:count], np.float32)


def drawn_class(seed, stream, cursor, weights):
    """weights: whole numbers, how often each class is drawn."""
    place = int(uniform(seed, CLASS, cursor, stream) * sum(weights))
    return int(np.searchsorted(np.cumsum(weights), place, side='right'))
