// The mark of a function that the library shows.
#ifndef ONNX_ACTS_EXPORT_H_
#define ONNX_ACTS_EXPORT_H_

#ifdef _WIN32
#define ONNX_ACTS_EXPORT extern "C" __declspec(dllexport)
#else
#define ONNX_ACTS_EXPORT extern "C" __attribute__((visibility("default")))
#endif

#endif  // ONNX_ACTS_EXPORT_H_
