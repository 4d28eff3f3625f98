#pragma once

namespace gan::generate {

// How pictures lie in memory. kPlain: [N, channels, side, side], for the outside. kBlocks: [N, pixels / 16, channels,
// 16], what the product of the next layer reads from front to back.
enum class Layout { kPlain, kBlocks };

}  // namespace gan::generate
