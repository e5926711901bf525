// Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): four random
// words from a counter and a key, with no state, so that element i of a tensor gets the same draw
// on every device and with any number of threads.
#ifndef ONNX_ACTS_PHILOX_H_
#define ONNX_ACTS_PHILOX_H_

#include "activations/host_device.h"

namespace onnx_acts {
namespace {

struct PhiloxBlock {
  uint32_t word[4];
};

// One of the ten rounds.
ONNX_ACTS_HD inline PhiloxBlock PhiloxRound(PhiloxBlock c, uint32_t key0, uint32_t key1) {
  const uint64_t first = uint64_t{0xD2511F53} * c.word[0];
  const uint64_t second = uint64_t{0xCD9E8D57} * c.word[2];
  return {{static_cast<uint32_t>(second >> 32) ^ c.word[1] ^ key0, static_cast<uint32_t>(second),
           static_cast<uint32_t>(first >> 32) ^ c.word[3] ^ key1, static_cast<uint32_t>(first)}};
}

ONNX_ACTS_HD inline PhiloxBlock Philox(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  for (uint32_t round = 0; round < 10; ++round) {
    counter = PhiloxRound(counter, key0 + round * 0x9E3779B9u, key1 + round * 0xBB67AE85u);
  }
  return counter;
}

// The four words for elements 4 * block to 4 * block + 3 of a tensor.
ONNX_ACTS_HD inline PhiloxBlock PhiloxForElements(uint64_t seed, uint64_t block) {
  const PhiloxBlock counter = {
      {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0}};
  return Philox(counter, static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
}

// A draw from [lower, lower + width) from one word.
ONNX_ACTS_HD inline double UniformDraw(uint32_t word, double lower, double width) {
  return lower + width * (word * 0x1p-32);
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_PHILOX_H_
