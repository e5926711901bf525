// Many threads share sessions on ONNX Runtime itself: every result has the bits of a run on one
// thread, and the memory does not grow.
//
//   soak LIBONNXRUNTIME LIBRARY CASES THREADS SECONDS INTRA_OP_THREADS
//
// A line of CASES: model, element type, outputs, X's sizes, slope's sizes or "-" ("2,3"; "." for
// no dimension).

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "library/ort_host.h"

namespace onnx_acts::host {
namespace {

using Sizes = std::vector<int64_t>;
using Bytes = std::vector<char>;

constexpr int kRounds = 10;

struct Case {
  std::string model;
  ort::ElementType type;
  std::size_t outputs;
  std::vector<Sizes> shapes;
  std::vector<Bytes> inputs;
  std::vector<Bytes> expected;
};

Sizes ReadSizes(const std::string& text) {
  Sizes sizes;
  std::istringstream parts(text == "." ? "" : text);
  for (std::string part; std::getline(parts, part, ',');) sizes.push_back(std::stoll(part));
  return sizes;
}

std::size_t ByteCount(const Sizes& sizes, ort::ElementType type) {
  std::size_t bytes = type == ort::kDouble ? 8 : type == ort::kFloat ? 4 : 2;
  for (const int64_t size : sizes) bytes *= static_cast<std::size_t>(size);
  return bytes;
}

// Numbers of both signs below 2, of every magnitude: without the exponent's highest bit.
Bytes RandomElements(std::mt19937& random, std::size_t count, ort::ElementType type) {
  const std::size_t size = ByteCount({}, type);
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto byte = static_cast<unsigned char>(random());
    bytes[i] = static_cast<char>(i % size == size - 1 ? byte & 0xbf : byte);
  }
  return bytes;
}

std::vector<Case> ReadCases(const char* path) {
  std::ifstream file(path);
  std::vector<Case> cases;
  std::mt19937 random(1);
  int type = 0;
  std::string x, slope;
  for (Case one; file >> one.model >> type >> one.outputs >> x >> slope;) {
    one.type = static_cast<ort::ElementType>(type);
    one.shapes = {ReadSizes(x)};
    if (slope != "-") one.shapes.push_back(ReadSizes(slope));
    one.inputs.clear();
    for (const Sizes& sizes : one.shapes) {
      one.inputs.push_back(RandomElements(random, ByteCount(sizes, one.type), one.type));
    }
    cases.push_back(one);
  }
  if (cases.empty()) Fail(std::string("no cases in ") + path);
  return cases;
}

// The outputs of one run.
std::vector<Bytes> Run(const Runtime& runtime, ort::Session* session, Case& one) {
  const char* const names[] = {"X", "slope"};
  const char* const output_names[] = {"Y", "noise"};
  ort::Value* inputs[2] = {};
  ort::Value* outputs[2] = {};
  const std::size_t count = one.inputs.size();
  for (std::size_t i = 0; i < count; ++i) {
    inputs[i] = runtime.Tensor(one.inputs[i], one.shapes[i], one.type);
  }
  runtime.Must(ort::Run(runtime.api(), session, nullptr, names, inputs, count, output_names,
                        one.outputs, outputs));
  std::vector<Bytes> results;
  for (std::size_t i = 0; i < one.outputs; ++i) {
    const char* data = static_cast<const char*>(runtime.Data(outputs[i]));
    results.emplace_back(data, data + one.inputs[0].size());
    ort::ReleaseValue(runtime.api(), outputs[i]);
  }
  for (std::size_t i = 0; i < count; ++i) ort::ReleaseValue(runtime.api(), inputs[i]);
  return results;
}

class Soak {
 public:
  Soak(const Runtime& runtime, std::vector<Case> cases, int intra_op_threads)
      : runtime_(runtime), cases_(std::move(cases)) {
    for (Case& one : cases_) {
      ort::Session* const alone = runtime.Open(one.model, 1);
      one.expected = Run(runtime, alone, one);
      ort::ReleaseSession(runtime.api(), alone);
      ort::Session*& shared = sessions_[one.model];
      if (shared == nullptr) shared = runtime.Open(one.model, intra_op_threads);
      Check(one);
    }
  }
  ~Soak() {
    for (const auto& row : sessions_) ort::ReleaseSession(runtime_.api(), row.second);
  }
  Soak(const Soak&) = delete;
  Soak& operator=(const Soak&) = delete;

  long runs() const { return runs_; }
  std::size_t case_count() const { return cases_.size(); }

  // All threads at once, for a while.
  void Round(int threads, std::chrono::milliseconds time, int round) {
    const auto end = std::chrono::steady_clock::now() + time;
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i) {
      const auto seed = static_cast<unsigned>(round * 1000 + i);
      workers.emplace_back([this, end, seed] {
        std::mt19937 random(seed);
        do Check(cases_[random() % cases_.size()]);
        while (std::chrono::steady_clock::now() < end);
      });
    }
    for (std::thread& worker : workers) worker.join();
  }

 private:
  void Check(Case& one) {
    if (Run(runtime_, sessions_.at(one.model), one) != one.expected) {
      Fail(one.model + ": other bits than on one thread");
    }
    ++runs_;
  }

  const Runtime& runtime_;
  std::vector<Case> cases_;
  std::map<std::string, ort::Session*> sessions_;
  std::atomic<long> runs_{0};
};

// Resident memory and the bytes that are allocated, in KiB.
struct Memory {
  long resident;
  long allocated;
};

Memory MeasureMemory() {
  malloc_trim(0);  // what is free and kept depends on how the threads took turns
  long total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  const struct mallinfo2 heap = mallinfo2();
  return {resident * sysconf(_SC_PAGESIZE) / 1024,
          static_cast<long>((heap.uordblks + heap.hblkhd) / 1024)};
}

void RunRounds(Soak& soak, int threads, int seconds) {
  Memory first = {};
  for (int round = 0; round < kRounds; ++round) {
    soak.Round(threads, std::chrono::milliseconds(seconds * 1000 / kRounds), round);
    const Memory now = MeasureMemory();
    if (round == 0) first = now;
    std::printf("round %d: %ld runs, resident %ld KiB, allocated %ld KiB\n", round, soak.runs(),
                now.resident, now.allocated);
  }
  // The allocator keeps more or less between rounds; an object that every run leaves shows.
  const Memory last = MeasureMemory();
  if (last.allocated > first.allocated + 256) Fail("the allocated memory grows");
  if (last.resident > first.resident + 64 * 1024) Fail("the resident memory grows");
  std::printf(
      "%zu cases, %d threads, %d seconds: %ld runs with equal bits; resident memory %ld ->"
      " %ld KiB, allocated %ld -> %ld KiB\n",
      soak.case_count(), threads, seconds, soak.runs(), first.resident, last.resident,
      first.allocated, last.allocated);
}

}  // namespace
}  // namespace onnx_acts::host

int main(int count, char** arguments) {
  using namespace onnx_acts::host;
  if (count != 7) Fail("usage: soak LIBONNXRUNTIME LIBRARY CASES THREADS SECONDS INTRA_OP_THREADS");
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const Runtime runtime(arguments[1], arguments[2]);
  Soak soak(runtime, ReadCases(arguments[3]), std::atoi(arguments[6]));
  RunRounds(soak, std::atoi(arguments[4]), std::atoi(arguments[5]));
}
