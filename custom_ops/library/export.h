// The mark of a function that the library shows.
#ifndef ONNX_ACTS_EXPORT_H_
#define ONNX_ACTS_EXPORT_H_

#define ONNX_ACTS_EXPORT extern "C" __attribute__((visibility("default")))

#endif  // ONNX_ACTS_EXPORT_H_
