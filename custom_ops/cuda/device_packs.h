// Packs of elements: how one thread of a grid reads and writes them, and walks over its own.
//
// A pack is 16 bytes that lie together; where a tensor is not aligned, and at its end, it is read
// and written element by element. A pack is read, computed and written by one thread, so y may be
// x.
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

ONNX_ACTS_HD inline bool IsAligned(const void* pointer) {
  return (reinterpret_cast<uintptr_t>(pointer) & 15) == 0;
}

// Reads elements [first, first + n), the others of the pack are 0; as one word if `by_words`.
template <class T>
ONNX_ACTS_HD inline Pack<T> Load(const T* from, uint32_t first, uint32_t n, bool by_words) {
  if (by_words) {
    return BitCast<Pack<T>>(*reinterpret_cast<const Word16*>(from + first));
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
    *reinterpret_cast<Word16*>(to + first) = BitCast<Word16>(pack);
    return;
  }
  ONNX_ACTS_UNROLL
  for (uint32_t i = 0; i < kPack<T>; ++i) {
    if (i < n) to[first + i] = pack.at[i];
  }
}

// step(pack, first, n) for each pack of this thread; what step leaves in the pack is y.
template <class T, class Step>
ONNX_ACTS_HD inline void ForEachPack(const void* x, void* y, uint32_t count, Lane lane,
                                     const Step& step) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(y);
  const bool from_aligned = IsAligned(x), to_aligned = IsAligned(y);
  const uint32_t packs = (count + kPack<T> - 1) / kPack<T>;
  for (uint32_t i = lane.index; i < packs; i += lane.count) {
    const uint32_t first = i * kPack<T>, n = Lesser(kPack<T>, count - first);
    const bool whole = n == kPack<T>;
    Pack<T> pack = Load(from, first, n, whole && from_aligned);
    step(pack, first, n);
    Store(pack, to, first, n, whole && to_aligned);
  }
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_DEVICE_PACKS_H_
