// Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): four random
// words from a counter and a key, with no state, so that element i of a tensor gets the same draw
// on every device and with any number of threads.
#ifndef ONNX_ACTS_PHILOX_H_
#define ONNX_ACTS_PHILOX_H_

#include "activations/host_device.h"

namespace onnx_acts {

// The keys of the ten rounds.
struct PhiloxKeys {
  uint32_t first[10], second[10];
};

namespace {

struct PhiloxBlock {
  uint32_t word[4];
};

ONNX_ACTS_HD inline PhiloxKeys PhiloxKeysOf(uint64_t seed) {
  PhiloxKeys keys = {};
  for (uint32_t round = 0; round < 10; ++round) {
    keys.first[round] = static_cast<uint32_t>(seed) + round * 0x9E3779B9u;
    keys.second[round] = static_cast<uint32_t>(seed >> 32) + round * 0xBB67AE85u;
  }
  return keys;
}

ONNX_ACTS_HD inline uint64_t WideProduct(uint32_t a, uint32_t b) {
#ifdef __CUDA_ARCH__
  uint64_t product;  // nvcc adds a zero to the upper half of the product below
  asm("mul.wide.u32 %0, %1, %2;" : "=l"(product) : "r"(a), "r"(b));
  return product;
#else
  return uint64_t{a} * b;
#endif
}

ONNX_ACTS_HD inline PhiloxBlock PhiloxRound(PhiloxBlock c, uint32_t key0, uint32_t key1) {
  const uint64_t first = WideProduct(c.word[0], 0xD2511F53u);
  const uint64_t second = WideProduct(c.word[2], 0xCD9E8D57u);
  return {{static_cast<uint32_t>(second >> 32) ^ c.word[1] ^ key0, static_cast<uint32_t>(second),
           static_cast<uint32_t>(first >> 32) ^ c.word[3] ^ key1, static_cast<uint32_t>(first)}};
}

ONNX_ACTS_HD inline PhiloxBlock Philox(PhiloxBlock counter, const PhiloxKeys& keys) {
  for (uint32_t round = 0; round < 10; ++round) {
    counter = PhiloxRound(counter, keys.first[round], keys.second[round]);
  }
  return counter;
}

// The four words for elements 4 * block to 4 * block + 3 of a tensor.
ONNX_ACTS_HD inline PhiloxBlock PhiloxForElements(const PhiloxKeys& keys, uint64_t block) {
  return Philox({{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0}}, keys);
}

ONNX_ACTS_HD inline PhiloxBlock PhiloxForElements(uint64_t seed, uint64_t block) {
  return PhiloxForElements(PhiloxKeysOf(seed), block);
}

// A draw from [lower, lower + width) from one word.
ONNX_ACTS_HD inline double UniformDraw(uint32_t word, double lower, double width) {
  return lower + width * (word * 0x1p-32);
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_PHILOX_H_
