// The host's side of ONNX Runtime's C ABI: what a program needs to open a model and run it, without
// the official headers. abi_check.cc compares the slots with them.
#ifndef ONNX_ACTS_TESTS_ORT_HOST_H_
#define ONNX_ACTS_TESTS_ORT_HOST_H_

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "ort/ort_abi.h"

namespace onnx_acts::ort {

struct Env;
struct MemoryInfo;
struct RunOptions;
struct Session;

// Since API 1.
constexpr Slot<3, Status*(int severity, const char* name, Env**)> CreateEnv;
constexpr Slot<7, Status*(const Env*, const char* path, const SessionOptions*, Session**)>
    CreateSession;
constexpr Slot<9,
               Status*(Session*, const RunOptions*, const char* const* names, const Value* const*,
                       std::size_t, const char* const* output_names, std::size_t, Value**)>
    Run;
constexpr Slot<10, Status*(SessionOptions**)> CreateSessionOptions;
constexpr Slot<19, Status*(SessionOptions*)> DisableCpuMemArena;
constexpr Slot<24, Status*(SessionOptions*, int)> SetIntraOpNumThreads;
constexpr Slot<49, Status*(const MemoryInfo*, void* data, std::size_t bytes, const int64_t* sizes,
                           std::size_t rank, ElementType, Value**)>
    CreateTensorWithDataAsOrtValue;
constexpr Slot<69, Status*(int allocator, int memory, MemoryInfo**)> CreateCpuMemoryInfo;
constexpr Slot<92, void(Env*)> ReleaseEnv;
constexpr Slot<94, void(MemoryInfo*)> ReleaseMemoryInfo;
constexpr Slot<95, void(Session*)> ReleaseSession;
constexpr Slot<100, void(SessionOptions*)> ReleaseSessionOptions;

}  // namespace onnx_acts::ort

namespace onnx_acts::host {

[[noreturn]] inline void Fail(const std::string& message) {
  std::printf("%s\n", message.c_str());
  std::exit(1);
}

// A function of a shared library that stays loaded.
template <class Function>
Function* Load(const char* path, const char* name) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) Fail(dlerror());
  void* const function = dlsym(library, name);
  if (function == nullptr) Fail(std::string(path) + " has no " + name);
  return reinterpret_cast<Function*>(function);
}

// ONNX Runtime and the library of operators, loaded from two paths.
class Runtime {
 public:
  Runtime(const char* onnxruntime, const char* library)
      : base_(Load<const ort::ApiBase*()>(onnxruntime, "OrtGetApiBase")()),
        register_(Load<ort::Status*(ort::SessionOptions*, const ort::ApiBase*)>(
            library, "RegisterCustomOps")),
        api_(base_->GetApi(ort::kFloorVersion)) {
    constexpr int kErrorsOnly = 3;
    Must(ort::CreateEnv(api_, kErrorsOnly, "onnx_acts", &env_));
    Must(ort::CreateCpuMemoryInfo(api_, 0, 0, &memory_));
  }
  ~Runtime() {
    ort::ReleaseMemoryInfo(api_, memory_);
    ort::ReleaseEnv(api_, env_);
  }
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const ort::Api* api() const { return api_; }

  void Must(ort::Status* status) const {
    if (status != nullptr) Fail(ort::GetErrorMessage(api_, status));
  }

  // Registers the operators twice, which must do no harm.
  ort::Session* Open(const std::string& path, int threads) const {
    ort::SessionOptions* options = nullptr;
    Must(ort::CreateSessionOptions(api_, &options));
    Must(ort::SetIntraOpNumThreads(api_, options, threads));
    Must(ort::DisableCpuMemArena(api_, options));  // a sanitizer sees where each tensor ends
    for (int i = 0; i < 2; ++i) Must(register_(options, base_));
    ort::Session* session = nullptr;
    Must(ort::CreateSession(api_, env_, path.c_str(), options, &session));
    ort::ReleaseSessionOptions(api_, options);
    return session;
  }

  // A tensor on somebody else's bytes.
  ort::Value* Tensor(std::vector<char>& bytes, const std::vector<int64_t>& sizes,
                     ort::ElementType type) const {
    ort::Value* tensor = nullptr;
    Must(ort::CreateTensorWithDataAsOrtValue(api_, memory_, bytes.data(), bytes.size(),
                                             sizes.data(), sizes.size(), type, &tensor));
    return tensor;
  }

  void* Data(ort::Value* tensor) const {
    void* data = nullptr;
    Must(ort::GetTensorMutableData(api_, tensor, &data));
    return data;
  }

 private:
  const ort::ApiBase* base_;
  ort::Status* (*register_)(ort::SessionOptions*, const ort::ApiBase*);
  const ort::Api* api_;
  ort::Env* env_ = nullptr;
  ort::MemoryInfo* memory_ = nullptr;
};

}  // namespace onnx_acts::host

#endif  // ONNX_ACTS_TESTS_ORT_HOST_H_
