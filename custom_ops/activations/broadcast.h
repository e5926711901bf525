// How a slope of one shape lies along a tensor of another.
//
// ONNX aligns shapes at the last dimension; the slope has 1 or x's size in each. Neighbouring
// dimensions that behave alike are one: a per-channel slope on N x C x H x W becomes three
// dimensions, H*W with stride 0, C with stride 1 and N with stride 0.
#ifndef ONNX_ACTS_BROADCAST_H_
#define ONNX_ACTS_BROADCAST_H_

#include <cstddef>
#include <cstdint>

namespace onnx_acts {

// Dimensions of size 1 are dropped, so that k dimensions hold at least 2^k elements: 63 are enough.
constexpr int kMaxDimensions = 64;

// Innermost dimension first.
struct SlopeLayout {
  int rank;
  int64_t size[kMaxDimensions];
  int64_t stride[kMaxDimensions];  // of the slope: 0 where it repeats
};

// Whether the slope's shape broadcasts to x's without enlarging it. An unknown size (-1) may be
// any.
inline bool BroadcastsTo(const int64_t* slope, std::size_t slope_rank, const int64_t* x,
                         std::size_t x_rank) {
  if (slope_rank > x_rank) return false;
  for (std::size_t i = 1; i <= slope_rank; ++i) {
    const int64_t slope_size = slope[slope_rank - i];
    const int64_t x_size = x[x_rank - i];
    if (slope_size != 1 && slope_size != x_size && slope_size >= 0 && x_size >= 0) return false;
  }
  return true;
}

// Collapses a pair of shapes for which BroadcastsTo holds and x has elements.
inline SlopeLayout CollapseShapes(const int64_t* slope, std::size_t slope_rank, const int64_t* x,
                                  std::size_t x_rank) {
  SlopeLayout layout;
  layout.rank = 0;
  int64_t slope_elements = 1;  // inside the current dimension
  for (std::size_t i = 1; i <= x_rank; ++i) {
    const int64_t size = x[x_rank - i];
    if (size == 1) continue;
    const bool repeats = i > slope_rank || slope[slope_rank - i] == 1;
    const int64_t stride = repeats ? 0 : slope_elements;
    const int last = layout.rank - 1;
    // The slope's dimensions are contiguous, so two that it varies along always merge.
    if (last >= 0 && (layout.stride[last] == 0) == repeats) {
      layout.size[last] *= size;
    } else {
      layout.size[layout.rank] = size;
      layout.stride[layout.rank++] = stride;
    }
    if (!repeats) slope_elements *= size;
  }
  return layout;
}

// After how many elements the slopes repeat: everything but an outermost dimension of stride 0.
inline int64_t SlopePeriod(const SlopeLayout& layout) {
  int64_t period = 1;
  for (int i = 0; i < layout.rank; ++i) {
    if (i < layout.rank - 1 || layout.stride[i] != 0) period *= layout.size[i];
  }
  return period;
}

// Walks along x in row-major order and knows the slope's element there.
class SlopeCursor {
 public:
  SlopeCursor(const SlopeLayout& layout, int64_t element) : layout_(layout), slope_(0) {
    for (int i = 0; i < layout.rank; ++i) {
      at_[i] = element % layout.size[i];
      element /= layout.size[i];
      slope_ += at_[i] * layout.stride[i];
    }
  }

  // The index of the slope's element here.
  int64_t slope() const { return slope_; }

  // How many elements are left in the innermost dimension: their slopes are one slope, or
  // neighbours.
  int64_t run() const { return layout_.size[0] - at_[0]; }

  // Moves on by at most run() elements.
  void Advance(int64_t count) {
    at_[0] += count;
    slope_ += count * layout_.stride[0];
    for (int i = 0; at_[i] == layout_.size[i]; ++i) {
      slope_ -= layout_.size[i] * layout_.stride[i];
      at_[i] = 0;
      if (i + 1 == layout_.rank) break;
      ++at_[i + 1];
      slope_ += layout_.stride[i + 1];
    }
  }

 private:
  const SlopeLayout& layout_;
  int64_t slope_;
  int64_t at_[kMaxDimensions];
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_BROADCAST_H_
