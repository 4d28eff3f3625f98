// Settings of jemalloc for training on CPUs, which it reads at the start (see TUNING and malloc_conf in its manual).
// Large tensors are kept on huge pages instead of being mapped and unmapped in every step, which saves up to a third of
// a step (docs/decisions). With a decay of -1 unused pages are never returned, so the resident size stays at the peak.
// A threshold of 0 keeps large allocations in the ordinary arenas.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0";
}
