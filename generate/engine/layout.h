#pragma once

namespace gan::generate {

// How pictures are stored. kPlain: [N, channels, side, side], for input and output. kBlocks: [N, pixels / 16, channels,
// 16], which the product of the next layer reads from front to back.
enum class Layout { kPlain, kBlocks };

}  // namespace gan::generate
