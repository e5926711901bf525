// The classes of ONNX Runtime's C++ wrapper that docs/guides/serving.md uses, as far as it uses
// them, on the C API beside it: for compilers without the official header.
#ifndef ONNX_ACTS_TESTS_SLICE_CXX_API_H_
#define ONNX_ACTS_TESTS_SLICE_CXX_API_H_

#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "onnxruntime_c_api.h"

namespace Ort {

inline const OrtApi& GetApi() { return *OrtGetApiBase()->GetApi(22); }

inline void ThrowOnError(OrtStatus* status) {
  if (status != nullptr) throw std::runtime_error(GetApi().GetErrorMessage(status));
}

struct ConstEpDevice {
  const char* EpName() const { return GetApi().EpDevice_EpName(device); }
  const OrtEpDevice* device;
};

struct Env {
  Env(OrtLoggingLevel level, const char* name) {
    ThrowOnError(GetApi().CreateEnv(level, name, &env));
  }
  ~Env() { GetApi().ReleaseEnv(env); }
  Env(const Env&) = delete;
  Env& RegisterExecutionProviderLibrary(const char* name, const std::string& path) {
    ThrowOnError(GetApi().RegisterExecutionProviderLibrary(env, name, path.c_str()));
    return *this;
  }
  std::vector<ConstEpDevice> GetEpDevices() const {
    const OrtEpDevice* const* devices = nullptr;
    size_t count = 0;
    ThrowOnError(GetApi().GetEpDevices(env, &devices, &count));
    std::vector<ConstEpDevice> found;
    for (size_t i = 0; i < count; ++i) found.push_back({devices[i]});
    return found;
  }
  OrtEnv* env = nullptr;
};

struct SessionOptions {
  SessionOptions() { ThrowOnError(GetApi().CreateSessionOptions(&options)); }
  ~SessionOptions() { GetApi().ReleaseSessionOptions(options); }
  SessionOptions(const SessionOptions&) = delete;
  SessionOptions& RegisterCustomOpsLibrary(const char* path) {
    ThrowOnError(GetApi().RegisterCustomOpsLibrary_V2(options, path));
    return *this;
  }
  SessionOptions& AppendExecutionProvider_V2(
      Env& env, const std::vector<ConstEpDevice>& devices,
      const std::unordered_map<std::string, std::string>& values) {
    std::vector<const OrtEpDevice*> pointers;
    for (const ConstEpDevice& device : devices) pointers.push_back(device.device);
    std::vector<const char*> keys, texts;
    for (const auto& [key, text] : values) {
      keys.push_back(key.c_str());
      texts.push_back(text.c_str());
    }
    ThrowOnError(GetApi().SessionOptionsAppendExecutionProvider_V2(
        options, env.env, pointers.data(), pointers.size(), keys.data(), texts.data(),
        keys.size()));
    return *this;
  }
  OrtSessionOptions* options = nullptr;
};

struct Session {
  Session(const Env& env, const char* path, const SessionOptions& options) {
    ThrowOnError(GetApi().CreateSession(env.env, path, options.options, &session));
  }
  ~Session() { GetApi().ReleaseSession(session); }
  Session(const Session&) = delete;
  OrtSession* session = nullptr;
};

}  // namespace Ort

#endif  // ONNX_ACTS_TESTS_SLICE_CXX_API_H_
