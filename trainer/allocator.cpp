// jemalloc's settings for training on CPUs, read by it at start (its manual: TUNING, malloc_conf). Large tensors are
// kept instead of being mapped and unmapped in every step, on huge pages: up to a third of a step (docs/decisions).
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0";
}
