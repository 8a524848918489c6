// What our topics must be like, and what is wrong with one that is not. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "kafka/config.h"

namespace heliograph::kafka {

// A topic as we want it.
struct TopicPlan {
  TopicSpec spec;
  bool keep_for_ever = false;  // retention.ms=-1: the state can be rebuilt from it
  std::size_t max_message_bytes = 1048576 + 65536;  // the producer's
};

// A topic as it is.
struct TopicState {
  int partitions = 0;
  int replicas = 0;                             // of the partition that has the fewest
  std::map<std::string, std::string> settings;  // those of TopicSettings, effective values
};

// Settings that a topic of this plan is created with.
std::map<std::string, std::string> TopicSettings(const TopicPlan& plan);

// What to tell an operator about a topic, each one sentence.
struct TopicFindings {
  std::vector<std::string>
      faults;  // records would be lost, refused or not understood: do not start
  std::vector<std::string>
      warnings;  // another shape than configured: works, but somebody should know
};
TopicFindings CompareTopic(const TopicPlan& plan, const TopicState& state);

// Worth saying before such a topic is created: "" = nothing.
std::string CreationWarning(const TopicPlan& plan);

}  // namespace heliograph::kafka
