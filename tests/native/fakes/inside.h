// Marks what runs inside a fake runtime: its own allocations are none of the library's.
#ifndef ONNX_ACTS_TESTS_INSIDE_H_
#define ONNX_ACTS_TESTS_INSIDE_H_

namespace onnx_acts::fake {

inline thread_local int inside = 0;

struct Inside {
  Inside() { ++inside; }
  ~Inside() { --inside; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
};

}  // namespace onnx_acts::fake

#endif  // ONNX_ACTS_TESTS_INSIDE_H_
