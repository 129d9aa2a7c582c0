{
  "targets": [
    {
      "target_name": "plugd",
      "sources": ["addon.cc", "decompress.cc", "exit.cc", "keyring.cc", "line_socket.cc", "linked_devices.cc", "lock.cc", "module_calls.cc", "netlink_socket.cc", "notify.cc", "open_in_root.cc", "v8_flags.cc", "xz.cc", "zstd.cc"],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-O2"],
      "cflags_cc!": ["-fno-rtti"],
      "libraries": ["-ldl"]
    }
  ]
}
