// Packs of elements: how one thread of a grid reads and writes them, and walks over its own.
//
// A pack is 16 bytes (32 of float64) that lie together; where a tensor is not aligned, and at its
// end, it is read and written element by element. A pack is read, computed and written by one
// thread, so y may be x.
#ifndef ONNX_ACTS_DEVICE_PACKS_H_
#define ONNX_ACTS_DEVICE_PACKS_H_

#include "cuda/device_map.h"

#ifdef __CUDA_ARCH__
#define ONNX_ACTS_UNROLL _Pragma("unroll")
#else
#define ONNX_ACTS_UNROLL
#endif

namespace onnx_acts {
namespace {

template <class T>
struct Pack {
  T at[kPack<T>];
};

#ifdef __CUDACC__
using Word16 = uint4;  // 16 bytes, read and written by one instruction
#else
struct alignas(16) Word16 {
  uint32_t part[4];
};
#endif

template <class T>
struct Words {
  Word16 at[sizeof(Pack<T>) / sizeof(Word16)];
};

ONNX_ACTS_HD inline bool IsAligned(const void* pointer) {
  return (reinterpret_cast<uintptr_t>(pointer) & 15) == 0;
}

// Reads elements [first, first + n), the others of the pack are 0; in whole words if `by_words`.
template <class T>
ONNX_ACTS_HD inline Pack<T> Load(const T* from, uint32_t first, uint32_t n, bool by_words) {
  if (by_words) {
    Words<T> words;
    const Word16* source = reinterpret_cast<const Word16*>(from + first);
    ONNX_ACTS_UNROLL
    for (uint32_t i = 0; i < sizeof words / sizeof(Word16); ++i) words.at[i] = source[i];
    return BitCast<Pack<T>>(words);
  }
  Pack<T> pack = {};
  ONNX_ACTS_UNROLL
  for (uint32_t i = 0; i < kPack<T>; ++i) {
    if (i < n) pack.at[i] = from[first + i];
  }
  return pack;
}

template <class T>
ONNX_ACTS_HD inline void Store(const Pack<T>& pack, T* to, uint32_t first, uint32_t n,
                               bool by_words) {
  if (by_words) {
    const Words<T> words = BitCast<Words<T>>(pack);
    Word16* target = reinterpret_cast<Word16*>(to + first);
    ONNX_ACTS_UNROLL
    for (uint32_t i = 0; i < sizeof words / sizeof(Word16); ++i) target[i] = words.at[i];
    return;
  }
  ONNX_ACTS_UNROLL
  for (uint32_t i = 0; i < kPack<T>; ++i) {
    if (i < n) to[first + i] = pack.at[i];
  }
}

// step(pack, first, n) for each pack of this thread, kUnroll of which are read before any is
// computed; what step leaves in the pack is y. At the end some have no elements: n is 0 then, and
// first too.
template <class T, class Step>
ONNX_ACTS_HD inline void ForEachPack(const void* x, void* y, uint32_t count, Lane lane,
                                     const Step& step) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(y);
  const bool from_aligned = IsAligned(x), to_aligned = IsAligned(y);
  const uint32_t packs = (count + kPack<T> - 1) / kPack<T>;
  for (uint32_t i = lane.index; i < packs; i += kUnroll * lane.count) {
    Pack<T> pack[kUnroll];
    uint32_t first[kUnroll], n[kUnroll];
    ONNX_ACTS_UNROLL
    for (uint32_t u = 0; u < kUnroll; ++u) {
      const uint32_t at = i + u * lane.count;
      first[u] = at < packs ? at * kPack<T> : 0;
      n[u] = at < packs ? Lesser(kPack<T>, count - first[u]) : 0;
    }
    ONNX_ACTS_UNROLL
    for (uint32_t u = 0; u < kUnroll; ++u) {
      pack[u] = Load(from, first[u], n[u], n[u] == kPack<T> && from_aligned);
    }
    ONNX_ACTS_UNROLL
    for (uint32_t u = 0; u < kUnroll; ++u) step(pack[u], first[u], n[u]);
    ONNX_ACTS_UNROLL
    for (uint32_t u = 0; u < kUnroll; ++u) {
      Store(pack[u], to, first[u], n[u], n[u] == kPack<T> && to_aligned);
    }
  }
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_DEVICE_PACKS_H_
