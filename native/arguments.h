#ifndef PLUGD_ARGUMENTS_H
#define PLUGD_ARGUMENTS_H
#include <napi.h>

#include <string>

// Reads a call's arguments. A wrong type is a bug in plugd, so it is a TypeError in JavaScript, never a crash.
namespace plugd {

// Throws a TypeError (a pending JavaScript exception) and returns undefined.
inline Napi::Value Misuse(const Napi::CallbackInfo& info, const char* usage) {
  Napi::TypeError::New(info.Env(), usage).ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

// Machine text is latin1 in plugd: one character is one byte.
inline std::string Latin1(const Napi::Value& value) {
  size_t length = 0;
  napi_get_value_string_latin1(value.Env(), value, nullptr, 0, &length);
  std::string text(length, '\0');
  napi_get_value_string_latin1(value.Env(), value, &text[0], length + 1, &length);
  return text;
}

inline Napi::Value Number(const Napi::CallbackInfo& info, int64_t value) {
  return Napi::Number::New(info.Env(), static_cast<double>(value));
}

}  // namespace plugd
#endif
