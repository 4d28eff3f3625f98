// All ranks decide together whether a checkpoint can be used.
#include <algorithm>
#include <exception>
#include <utility>

#include "checkpoint/checkpoint.h"
#include "checkpoint/ranks.h"
#include "storage/errors.h"
#include "storage/host_name.h"

namespace gan::checkpoint {

namespace {

// A network file system may show one rank what another one does not see yet, or fail for one of them. If one rank alone
// renamed a checkpoint as damaged, or used an older one, it would train with other weights than the rest.

// How a rank found the checkpoint. The letter is the first character of the rank's answer to the others.
constexpr char kIntact = 'i', kDamaged = 'd', kNewer = 'n', kUnreadable = 'u';

struct Reading {
  char judgement = kIntact;
  std::string words;  // the digest when intact, otherwise the error
  std::exception_ptr error;
};

// Runs `load` and classifies its result, so that every rank can send an answer instead of throwing before the exchange.
Reading Read(const std::function<std::string()>& load) {
  try {
    return {kIntact, load(), nullptr};
  } catch (const NewerVersionError& error) {
    return {kNewer, error.what(), std::current_exception()};
  } catch (const DataError& error) {
    return {kDamaged, error.what(), std::current_exception()};
  } catch (const std::exception& error) {
    return {kUnreadable, error.what(), std::current_exception()};
  }
}

// Describes a rank's answer for an error message.
std::string InWords(const std::string& answer) {
  const std::string words = answer.substr(1);
  return answer.front() == kIntact ? "found it intact (manifest " + words + ")" : "reports " + words;
}

// Throws unless all ranks give the same answer. Intact checkpoints must have the same digest; the texts of errors may
// differ.
void RequireAgreement(const std::vector<std::string>& answers, const std::vector<std::string>& hosts,
                      const std::filesystem::path& folder) {
  const auto name = [&](std::size_t rank) { return "rank " + std::to_string(rank) + " on " + hosts[rank]; };
  // A read error comes first: it says nothing about the content, so no checkpoint may be judged by the other answers.
  for (std::size_t rank = 0; rank < answers.size(); ++rank) {
    if (answers[rank].front() != kUnreadable) continue;
    throw RankError(name(rank) + " could not read " + folder.string() + ": " + answers[rank].substr(1) +
                    "; nothing was changed");
  }
  for (std::size_t rank = 1; rank < answers.size(); ++rank) {
    const bool both_intact = answers[0].front() == kIntact && answers[rank].front() == kIntact;
    if (both_intact ? answers[0] == answers[rank] : answers[0].front() == answers[rank].front()) continue;
    throw RankError("the ranks disagree on " + folder.string() + ": " + name(0) + " " + InWords(answers[0]) + ", " +
                    name(rank) + " " + InWords(answers[rank]) + "; nothing was changed");
  }
}

}  // namespace

Checkpoint LoadTogether(const std::filesystem::path& folder, const RankGroup& ranks) {
  Checkpoint loaded;
  const Reading mine = Read([&] {
    loaded = Load(folder);
    return loaded.digest;
  });
  // Each rank takes part in both exchanges before anything is thrown: a rank that left early would let the others wait.
  const std::vector<std::string> answers = ranks.all_gather(mine.judgement + mine.words);
  const std::vector<std::string> hosts = ranks.all_gather(storage::HostName());
  RequireAgreement(answers, hosts, folder);
  if (mine.error) std::rethrow_exception(mine.error);
  return loaded;
}

std::string FromRankZero(const RankGroup& ranks, const std::function<std::string()>& work) {
  std::string answer;
  if (ranks.rank == 0) {
    try {
      answer = "+" + work();
    } catch (const std::exception& error) {
      // The first character says whether the work succeeded, so that an error travels by the same exchange as a result.
      answer = "-rank 0 on " + storage::HostName() + ": " + error.what();
    }
  }
  answer = ranks.all_gather(answer).front();
  if (answer.front() == '-') throw RankError(answer.substr(1));
  return answer.substr(1);
}

}  // namespace gan::checkpoint
