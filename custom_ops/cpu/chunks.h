// The elements of a tensor, shared among the runtime's threads where that pays.
#ifndef ONNX_ACTS_CHUNKS_H_
#define ONNX_ACTS_CHUNKS_H_

#include <algorithm>
#include <cstdint>

#include "ort/ort_abi.h"
#include "ort/status.h"

namespace onnx_acts {

// Runs body(begin, end) over [0, count), `chunk` elements to a task. The calling thread computes up
// to two chunks alone. The result of an element must not depend on where a task begins.
template <class Body>
void ForEachChunk(const ort::Api* api, ort::KernelContext* context, int64_t count, int64_t chunk,
                  const Body& body) {
  struct Tasks {
    const Body& body;
    int64_t count, chunk;
    static void RunOne(void* user_data, std::size_t task) {
      const Tasks& tasks = *static_cast<const Tasks*>(user_data);
      const int64_t begin = static_cast<int64_t>(task) * tasks.chunk;
      tasks.body(begin, std::min(begin + tasks.chunk, tasks.count));
    }
  };
  if (count <= 2 * chunk) {
    if (count > 0) body(0, count);
    return;
  }
  Tasks tasks = {body, count, chunk};
  const auto total = static_cast<std::size_t>((count + chunk - 1) / chunk);
  // With 0 batches the runtime gives each of its threads one batch of neighbouring tasks.
  Check(ort::KernelContext_ParallelFor(api, context, &Tasks::RunOne, total, 0, &tasks));
}

}  // namespace onnx_acts

#endif  // ONNX_ACTS_CHUNKS_H_
