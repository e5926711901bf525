// What lets the same text compile for the CPU and for CUDA.
#ifndef ONNX_ACTS_HOST_DEVICE_H_
#define ONNX_ACTS_HOST_DEVICE_H_

#include <stdint.h>
#include <string.h>

#ifdef __CUDACC__
#define ONNX_ACTS_HD __host__ __device__
#else
#define ONNX_ACTS_HD
#endif

// Everything in the headers that the per-instruction-set objects share is in an unnamed namespace:
// an ordinary inline function would be one weak symbol for all of them, and the linker could keep
// the AVX-512 copy for a processor that has no AVX-512.
namespace onnx_acts {
namespace {

// The bits of a value as another type of the same size.
template <class To, class From>
ONNX_ACTS_HD inline To BitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "BitCast keeps the size");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

// Not std::min and std::max: see above.
template <class Int>
ONNX_ACTS_HD constexpr Int Lesser(Int a, Int b) {
  return a < b ? a : b;
}

template <class Int>
ONNX_ACTS_HD inline Int Greater(Int a, Int b) {
  return a > b ? a : b;
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_HOST_DEVICE_H_
