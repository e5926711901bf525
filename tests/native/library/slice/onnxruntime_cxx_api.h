// The classes of ONNX Runtime's C++ wrapper that docs/guides/serving.md uses, as far as it uses
// them, on the C API beside it: for compilers without the official header.
#ifndef ONNX_ACTS_TESTS_SLICE_CXX_API_H_
#define ONNX_ACTS_TESTS_SLICE_CXX_API_H_

#include <stdexcept>

#include "onnxruntime_c_api.h"

namespace Ort {

inline const OrtApi& GetApi() { return *OrtGetApiBase()->GetApi(17); }

inline void ThrowOnError(OrtStatus* status) {
  if (status != nullptr) throw std::runtime_error(GetApi().GetErrorMessage(status));
}

struct Env {
  Env(OrtLoggingLevel level, const char* name) {
    ThrowOnError(GetApi().CreateEnv(level, name, &env));
  }
  ~Env() { GetApi().ReleaseEnv(env); }
  Env(const Env&) = delete;
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
