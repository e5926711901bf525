// Which thread of a grid computes which elements, and which slope belongs to an element, in 32-bit
// arithmetic without divisions. CUDA compiles this text, and so do the tests, which walk every
// thread on the host.
#ifndef ONNX_ACTS_DEVICE_MAP_H_
#define ONNX_ACTS_DEVICE_MAP_H_

#include "activations/broadcast.h"
#include "activations/host_device.h"

namespace onnx_acts {

#ifndef ONNX_ACTS_SMALL_GRIDS
// Elements of one launch at most; larger tensors are cut. All indices stay below 2^31 then. A
// multiple of every pack, and of the four elements that share a block of random words.
constexpr int64_t kLaunchElements = int64_t{1} << 30;

constexpr uint32_t kBlockThreads = 256;

// Blocks for each multiprocessor at most: many more than run at once, so that no processor waits
// for the last ones. (On an H200 from 64 to 256 closes the last 3 % to a copy's time; without a
// limit a kernel that does more for each thread before its first element loses 5 %.) Above that
// each thread makes several rounds.
constexpr uint32_t kBlocksPerProcessor = 256;
#else
// For tests: tensors of a few thousand elements take several launches, and threads several rounds.
constexpr int64_t kLaunchElements = 4096;
constexpr uint32_t kBlockThreads = 32;
constexpr uint32_t kBlocksPerProcessor = 1;
#endif

// One thread of a grid.
struct Lane {
  uint32_t index;
  uint32_t count;
};

// Elements that a thread computes in one go: those of 16 bytes, which one instruction reads.
constexpr uint32_t PackOf(std::size_t size) { return static_cast<uint32_t>(16 / size); }
template <class T>
constexpr uint32_t kPack = PackOf(sizeof(T));

inline uint32_t PacksOf(uint32_t elements, uint32_t pack) { return (elements + pack - 1) / pack; }

// Blocks of `threads` for so many packs, at least 1.
inline uint32_t BlocksFor(uint32_t packs, uint32_t threads, uint32_t most) {
  const uint32_t wanted = (packs + threads - 1) / threads;
  const uint32_t chosen = wanted < most ? wanted : most;
  return chosen == 0 ? 1 : chosen;
}

// n / size for n < 2^31 and 2 <= size < 2^31, by a product (Granlund and Montgomery 1994). With
// 2^(s-1) < size <= 2^s and factor = ceil(2^(31+s) / size), which has 32 bits,
// n * factor / 2^(31+s) exceeds n / size by less than n * size / (2^(31+s) * size) < 1 / size.
struct FastDivisor {
  uint32_t size;
  uint32_t factor;
  uint32_t shift;

  ONNX_ACTS_HD inline uint32_t Quotient(uint32_t n) const {
    return static_cast<uint32_t>(uint64_t{n} * factor >> 32) >> shift;
  }
};

inline FastDivisor MakeFastDivisor(uint32_t size) {
  uint32_t bits = 1;
  while ((uint64_t{1} << bits) < size) ++bits;
  const uint64_t power = uint64_t{1} << (31 + bits);
  return {size, static_cast<uint32_t>((power + size - 1) / size), bits - 1};
}

// A SlopeLayout of at most kLaunchElements elements. Every dimension has 2 or more, so there are 30
// at most.
constexpr uint32_t kMaxMapDimensions = 30;

struct SlopeMap {
  struct Dimension {
    FastDivisor divisor;
    uint32_t stride;  // of the slope: 0 where it repeats
  };

  uint32_t rank;
  Dimension dimensions[kMaxMapDimensions];  // innermost first

  // The slope's index for element `at` of a tensor that has dimensions `from` and up only.
  ONNX_ACTS_HD inline uint32_t Index(uint32_t at, uint32_t from = 0) const {
    uint32_t index = 0;
    for (uint32_t i = from; i + 1 < rank; ++i) {
      const Dimension& dimension = dimensions[i];
      const uint32_t outer = dimension.divisor.Quotient(at);
      index += (at - outer * dimension.divisor.size) * dimension.stride;
      at = outer;
    }
    // What is left is inside the outermost dimension: no division for it.
    return rank > from ? index + at * dimensions[rank - 1].stride : index;
  }
};

inline SlopeMap MakeSlopeMap(const SlopeLayout& layout) {
  SlopeMap map = {};
  map.rank = static_cast<uint32_t>(layout.rank);
  for (int i = 0; i < layout.rank; ++i) {
    map.dimensions[i] = {MakeFastDivisor(static_cast<uint32_t>(layout.size[i])),
                         static_cast<uint32_t>(layout.stride[i])};
  }
  return map;
}

// How slopes are fetched for a pack of neighbouring elements.
enum class SlopeKind {
  kRows,     // one slope for each row of at least a pack: two slopes at most
  kColumns,  // neighbouring slopes
  kAny,      // one by one
};

inline SlopeKind KindOf(const SlopeLayout& layout, uint32_t pack) {
  if (layout.rank == 0) return SlopeKind::kRows;
  const bool repeats = layout.stride[0] == 0;
  if (repeats) return layout.size[0] >= pack ? SlopeKind::kRows : SlopeKind::kAny;
  const bool whole = layout.rank == 1 || layout.size[0] % pack == 0;
  return whole ? SlopeKind::kColumns : SlopeKind::kAny;
}

// Cuts a layout into parts of at most `limit` elements:
// body(the part's layout, how many elements it has, its first element, its first slope).
template <class Body>
void ForEachPart(const SlopeLayout& layout, int64_t limit, const Body& body, int64_t first = 0,
                 int64_t slope = 0) {
  int64_t count = 1;
  for (int i = 0; i < layout.rank; ++i) count *= layout.size[i];
  if (count <= limit) return body(layout, count, first, slope);
  const int outer = layout.rank - 1;
  const int64_t inner = count / layout.size[outer];
  const int64_t step = inner < limit ? limit / inner : 1;
  for (int64_t at = 0; at < layout.size[outer]; at += step) {
    const int64_t left = layout.size[outer] - at;
    SlopeLayout part = layout;
    part.size[outer] = left < step ? left : step;
    if (part.size[outer] == 1) --part.rank;
    ForEachPart(part, limit, body, first + at * inner, slope + at * layout.stride[outer]);
  }
}

}  // namespace onnx_acts

#endif  // ONNX_ACTS_DEVICE_MAP_H_
