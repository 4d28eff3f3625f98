// The complete interface of the plugin that speaks HTTP with libcurl: three C functions that http_sender.cpp looks up
// by name. A plugin, because libcurl brings thirty libraries, which a program that pushes nothing need not load.
#pragma once

#include <cstddef>

struct GanHttpRequest {
  const char* url;
  const char* const* headers;  // "Name: value"
  std::size_t header_count;
  const char* body;
  std::size_t body_bytes;
  long timeout_ms;
  const char* certificate;                   // a file with the authorities to trust; null: those of the system
  bool (*is_stopping)(const void* context);  // called now and then; true ends the transfer
  const void* context;
};

struct GanHttpResult {
  bool answered;      // a status was received
  long status;        // HTTP's
  long wait_seconds;  // seconds in Retry-After; 0: none
  char why[128];      // when not answered: the kind of error, without the address
  std::size_t answer_bytes;
  char answer[std::size_t{64} << 10];  // its beginning
};

extern "C" {
void* GanHttpOpen();  // null when libcurl cannot be used
void GanHttpPost(void* handle, const GanHttpRequest* request, GanHttpResult* result);
void GanHttpClose(void* handle);
}
