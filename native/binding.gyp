{
  "targets": [
    {
      "target_name": "plugd",
      "sources": ["<!@(node recipes/addon-sources.mjs)"],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include_dir\")", "."],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-O2"],
      "cflags_cc!": ["-fno-rtti"],
      "cflags_c": ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2"],
      "libraries": ["-ldl"]
    }
  ]
}
