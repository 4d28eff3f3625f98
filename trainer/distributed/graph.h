// Operations that a device repeats without the host.
#pragma once

#include <functional>
#include <memory>

namespace gan::distributed {

// A recorded sequence of operations. It reads and writes memory at the places that were recorded. Not thread-safe.
class Graph {
 public:
  Graph() = default;
  virtual ~Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Queues all operations on the stream on which they were recorded.
  virtual void Replay() = 0;
};

// Records the operations that `queue` queues on this thread's current stream. They need not run meanwhile: only
// Replay() runs them. `queue` may be called again later, so what it refers to must live as long as the graph. Graphs
// share the memory of their temporary tensors, so no such tensor may be read after another graph has been replayed.
using RecordGraph = std::function<std::unique_ptr<Graph>(const std::function<void()>& queue)>;

}  // namespace gan::distributed
