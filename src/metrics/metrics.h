// Counters, gauges and histograms, and their exposition in the Prometheus text format.
// Names are `heliograph_<program or folder>_<what>_<unit or total>`; never a client id as a label.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace heliograph::metrics {

using Labels = std::map<std::string, std::string>;

// Handles are small, are copied freely, and live as long as their Registry. Threads: any thread.
class Counter {
 public:
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  void Add(double by = 1.0) const;
  double Value() const;

 private:
  prometheus::Counter* counter_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  void Set(double value) const;
  void Add(double by) const;
  double Value() const;

 private:
  prometheus::Gauge* gauge_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  void Observe(double value) const;

 private:
  prometheus::Histogram* histogram_;
};

// Seconds from 0.5 ms to 30 s: for anything that crosses a network.
const std::vector<double>& LatencyBuckets();

// Asking again for a name and labels gives the same series. A name has one kind and one help text
// of one line. Threads: any thread.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter AddCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge AddGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram AddHistogram(const std::string& name, const std::string& help,
                         const std::vector<double>& buckets, const Labels& labels = {});

  // Everything, in the text format version 0.0.4, with the process's own CPU seconds, resident
  // bytes and open files.
  std::string Exposition() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace heliograph::metrics
