#include "launcher/diagnosis.h"
#include "launcher/launcher_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace gan::launch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Ending kFailed{1, false};

std::string MpirunSignal(int rank, int signal, const std::string& words) {
  return "--------------------------------------------------------------------------\nmpirun noticed that process "
         "rank " +
         std::to_string(rank) + " with PID 4711 on node a exited on signal " + std::to_string(signal) + " (" + words +
         ").\n--------------------------------------------------------------------------\n";
}

std::string MpirunExit(int rank, int code) {
  return "mpirun detected that one or more processes exited with non-zero status, thus causing\nthe job to be "
         "terminated. The first process to do so was:\n\n  Process name: [[61123,1]," +
         std::to_string(rank) + "]\n  Exit code:    " + std::to_string(code) + "\n";
}

Evidence Of(const Ending& ending, const std::string& text) {
  Evidence evidence;
  evidence.ending = ending;
  evidence.text = text;
  evidence.host = "a";
  for (int rank = 0; rank < 2; ++rank) {
    evidence.ranks.push_back({.rank = rank,
                              .section = "step",
                              .collective = "gradients, all-reduce",
                              .in_collective = rank == 0,
                              .collectives = 100,
                              .last_beat = 50});
  }
  return evidence;
}

TEST(Diagnosis, AHealthyEndHasNoCause) {
  for (const int code : {0, 75}) {
    const Diagnosis found = Diagnose(Of({code, false}, "gan-train: warning: no locks here\n"));
    EXPECT_EQ(found.cause, Cause::kNone) << code;
    EXPECT_EQ(Sentence(found), "");
  }
}

TEST(Diagnosis, ASignalNamesTheRankThatWasFirstAndWhereItWas) {
  const Diagnosis found = Diagnose(Of({137, false}, MpirunSignal(0, 9, "Killed")));
  EXPECT_EQ(found.cause, Cause::kSignal);
  EXPECT_EQ(found.rank, 0);
  EXPECT_EQ(found.collective, "gradients, all-reduce");
  EXPECT_EQ(Sentence(found),
            "rank 0 on a was ended by a signal in section step (gradients, all-reduce): signal 9 (Killed)");
}

TEST(Diagnosis, Prrte3AndSlurmSayItInOtherWords) {
  const Diagnosis prrte = Diagnose(
      Of({139, false},
         "prterun noticed that process rank 1 with PID 46 on node b exited on\nsignal 11 (Segmentation fault)."));
  EXPECT_EQ(prrte.rank, 1);
  EXPECT_EQ(prrte.host, "b");
  const Diagnosis slurm = Diagnose(Of({137, false}, "srun: error: node7: task 1: Killed\n"));
  EXPECT_EQ(slurm.rank, 1);
  EXPECT_EQ(slurm.host, "node7");
}

TEST(Diagnosis, KilledForMemoryIsNotKilledByAUser) {
  Evidence evidence = Of({137, false}, MpirunSignal(1, 9, "Killed"));
  evidence.memory_kills = 1;
  EXPECT_EQ(Diagnose(evidence).cause, Cause::kOutOfMemory);
  EXPECT_EQ(Diagnose(evidence).rank, 1);
  const std::string slurm =
      "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0.\nsrun: error: n: task 1: Killed\n";
  EXPECT_EQ(Diagnose(Of({137, false}, slurm)).cause, Cause::kOutOfMemory);
}

TEST(Diagnosis, SlurmNamesMemoryAndSeveralTasks) {
  const Diagnosis memory = Diagnose(Of({137, false}, "srun: error: o0616: task 1: Out Of Memory\n"));
  EXPECT_EQ(memory.cause, Cause::kOutOfMemory);
  EXPECT_EQ(memory.rank, 1);
  EXPECT_EQ(memory.host, "o0616");
  const Diagnosis several =
      Diagnose(Of({139, false}, "srun: error: n2: tasks 2-3,5: Segmentation fault (core dumped)\n"));
  EXPECT_EQ(several.cause, Cause::kSignal);
  EXPECT_EQ(several.rank, 2);
  const Diagnosis exited = Diagnose(Of({1, false},
                                       "gan-train: run/stats.jsonl: write: No space left on device\n"
                                       "srun: error: n2: tasks 4-7: Exited with exit code 1\n"
                                       "srun: error: n1: tasks 0-3: Killed\n"));
  EXPECT_EQ(exited.cause, Cause::kFullDisk);
  EXPECT_EQ(exited.rank, 4);
}

TEST(Diagnosis, ABusErrorHasItsOwnCause) {
  EXPECT_EQ(Diagnose(Of({135, false}, MpirunSignal(1, SIGBUS, "Bus error"))).cause, Cause::kBusError);
}

TEST(Diagnosis, TheFirstOfTwoErrorsCounts) {
  const std::string text =
      "gan-train: warning: [rank 0] nothing\n"
      "gan-train: [rank 1] /run/stats.jsonl: write: No space left on device\n"
      "gan-train: [rank 0] rank 0 of 2, control, all-reduce/16: MPI error\n" +
      MpirunExit(1, 1);
  const Diagnosis found = Diagnose(Of(kFailed, text));
  EXPECT_EQ(found.cause, Cause::kFullDisk);
  EXPECT_EQ(found.rank, 1);
  EXPECT_THAT(found.detail, HasSubstr("stats.jsonl"));
}

TEST(Diagnosis, ARankThatReportsAnotherOneIsNotNamed) {
  const std::string text =
      "gan-train: [rank 1] save failed on rank 0 (write /run/part-00000: No space left on device) in /run: Operation "
      "canceled\n";
  EXPECT_EQ(Diagnose(Of(kFailed, text)).cause, Cause::kFullDisk);
  EXPECT_EQ(Diagnose(Of(kFailed, text)).rank, 0);
}

TEST(Diagnosis, AHangIsTheRankThatTheOthersWaitedFor) {
  const std::string text =
      "gan-train: [rank 0] no sign of life for 2.1 s in section step; stacks in /run/stacks-rank-00000.txt, ending\n" +
      MpirunExit(0, 1);
  Evidence behind = Of(kFailed, text);
  behind.ranks[1].collectives = 99;
  behind.ranks[1].in_collective = false;
  EXPECT_EQ(Diagnose(behind).cause, Cause::kHang);
  EXPECT_EQ(Diagnose(behind).rank, 1);
  EXPECT_EQ(Diagnose(behind).collective, "");
  EXPECT_EQ(Diagnose(behind).stacks, "/run/stacks-rank-00000.txt");
  Evidence frozen = Of(kFailed, text);
  frozen.ranks[1].last_beat = 47;
  frozen.ranks[1].in_collective = true;
  EXPECT_EQ(Diagnose(frozen).rank, 1);
  EXPECT_EQ(Diagnose(frozen).collective, "gradients, all-reduce");
  Evidence elsewhere = Of(kFailed, text);  // ranks on other hosts are not on this host's rank board
  elsewhere.ranks.clear();
  EXPECT_EQ(Diagnose(elsewhere).rank, 0);
}

TEST(Diagnosis, ARankElsewhereHasAHostToo) {
  Evidence evidence = Of(kFailed, "gan-train: [rank 2] no\n");
  EXPECT_EQ(Diagnose(evidence).host, "");
  evidence.hosts = {"a", "a", "b"};
  EXPECT_EQ(Diagnose(evidence).host, "b");
}

TEST(Diagnosis, TheRankThatWaitedInVainIsNotTheOneThatHung) {
  Evidence evidence = Of(kFailed,
                         "gan-train: [rank 0] rank 0 of 2, control, allgather: no answer from the other ranks for 2 s; "
                         "one of them has probably died or hangs\n" +
                             MpirunExit(0, 1));
  evidence.ranks[1].last_beat = 47;
  EXPECT_EQ(Diagnose(evidence).cause, Cause::kHang);
  EXPECT_EQ(Diagnose(evidence).rank, 1);
  evidence.ranks.clear();
  EXPECT_EQ(Diagnose(evidence).rank, 0);
}

TEST(Diagnosis, WhatMpirunSaidBeforeItWasKilledCounts) {
  const Ending killed{137, true};
  const std::string aborted =
      "MPI_ABORT was invoked on rank 0 in communicator MPI_COMM_WORLD\nwith errorcode 3.\n\nNOTE: invoking MPI_ABORT\n";
  EXPECT_EQ(EndingToldBy(aborted, killed).code, 3);
  EXPECT_FALSE(EndingToldBy(aborted, killed).by_signal);
  EXPECT_EQ(EndingToldBy(MpirunExit(1, 4), killed).code, 4);
  for (const std::string& text : {std::string(), MpirunExit(1, 0), MpirunSignal(1, 9, "Killed")}) {
    EXPECT_TRUE(EndingToldBy(text, killed).by_signal) << text;
  }
  EXPECT_EQ(EndingToldBy(aborted, {1, false}).code, 1);
}

// mpirun of Open MPI 5.0.7 sometimes ends with 0 after its daemon on another host was killed.
TEST(Diagnosis, AJobThatLostAHostIsNotDoneWhateverItsExitCode) {
  const std::string lost =
      "Connection to b closed by remote host.\nPRTE has lost communication with a remote daemon.\n\n  HNP daemon   : "
      "[prterun-a-1@0,0] on node a\n  Remote daemon: [prterun-a-1@0,1] on node b\n";
  const Ending ending = EndingToldBy(lost, {0, false});
  EXPECT_EQ(ending.code, 1);
  EXPECT_FALSE(ending.by_signal);
  EXPECT_EQ(EndingToldBy(lost, {75, false}).code, 75);
  EXPECT_EQ(EndingToldBy("Connection to b closed by remote host.\n", {0, false}).code, 0);
  const Diagnosis found = Diagnose(Of(ending, lost));
  EXPECT_EQ(found.cause, Cause::kLostHost);
  EXPECT_EQ(found.host, "b");
}

TEST(Diagnosis, ALostHostIsNamed) {
  Evidence evidence = Of(kFailed,
                         "ORTE has lost communication with a remote daemon.\n\n  HNP daemon   : [[1,0],0] on node a\n"
                         "  Remote daemon: [[1,0],1] on node b\n");
  EXPECT_EQ(Diagnose(evidence).cause, Cause::kLostHost);
  EXPECT_EQ(Diagnose(evidence).host, "b");
  EXPECT_EQ(Diagnose(evidence).rank, std::nullopt);
  evidence.text = "gan-train: [rank 0] no sign of life for 5.0 s in section step; stacks in /run/stacks, ending\n";
  evidence.gone_hosts = {"c.cluster"};
  evidence.hosts = {"a", "cc", "c", "c"};
  EXPECT_EQ(Diagnose(evidence).cause, Cause::kLostHost) << "its ranks were waited for";
  EXPECT_EQ(Diagnose(evidence).host, "c.cluster");
  EXPECT_EQ(Diagnose(evidence).rank, 2);
  evidence.hosts[2] = "c.other";
  EXPECT_EQ(Diagnose(evidence).rank, 3);
}

TEST(Diagnosis, ExitCodesOfOursSayTheirCause) {
  const std::string data = "gan-train: [rank 1] shards/shard-00001.gan, offset 4096: wrong checksum\n";
  EXPECT_EQ(Diagnose(Of({3, false}, data)).cause, Cause::kDamagedData);
  EXPECT_EQ(Diagnose(Of({3, false}, data)).rank, 1);
  EXPECT_EQ(Diagnose(Of({2, false}, "gan-train: --batch: 0 not in range\n")).cause, Cause::kBadFlag);
  EXPECT_EQ(Diagnose(Of({4, false}, "")).cause, Cause::kNotANumber);
  EXPECT_THAT(Sentence(Diagnose(Of({4, false}, ""))), HasSubstr("every rank"));
}

TEST(Diagnosis, WordsOfTheSystemSayTheirCause) {
  const std::string library =
      "gan-train: error while loading shared libraries: libx.so.1: cannot open shared object file\n";
  EXPECT_EQ(Diagnose(Of({127, false}, library + MpirunExit(1, 127))).cause, Cause::kLibraryMissing);
  EXPECT_EQ(Diagnose(Of({127, false}, library + MpirunExit(1, 127))).rank, 1);
  EXPECT_EQ(Diagnose(Of(kFailed, "bind() failed: Address already in use (98)\n")).cause, Cause::kPort);
  EXPECT_EQ(Diagnose(Of({2, false}, "gan-train: this job has 1 rank, --expect-world-size says 2; start it\n")).cause,
            Cause::kOtherMpi);
}

TEST(Diagnosis, AFullDiskIsFoundThoughNobodyCouldSayIt) {
  Evidence evidence = Of(kFailed, MpirunExit(0, 1));
  evidence.disk = "nothing can be written: /run";
  EXPECT_EQ(Diagnose(evidence).cause, Cause::kFullDisk);
}

TEST(Diagnosis, AddressesDoNotReachTheLog) {
  const Diagnosis found = Diagnose(Of({2, false}, "gan-train: cannot use https://user:geheim@host/x?y=z now\n"));
  EXPECT_THAT(Sentence(found), Not(HasSubstr("geheim")));
  EXPECT_THAT(Sentence(found), HasSubstr("(an address)"));
}

TEST(Diagnosis, AnyTextIsDiagnosedAndBounded) {
  std::string text(1 << 20, 'x');
  text += "\ngan-train: [rank 99999999999999999999] " + std::string(10000, 'y') + "\n";
  EXPECT_LE(Diagnose(Of(kFailed, text)).detail.size(), 400u);
}

TEST(Diagnosis, ALongLineDoesNotTakeTheStack) {
  for (const char* begin :
       {"gan-train: ", "MPI_ABORT was invoked on rank ", "srun: error: ", "  Process name: ", "Remote host on node "}) {
    const std::string text = WithShortLines(begin + std::string(1 << 20, 'y') + "\n");
    EXPECT_LE(Diagnose(Of(kFailed, text)).detail.size(), 400u);
    EXPECT_EQ(EndingToldBy(text, {128 + SIGKILL, true}).code, 128 + SIGKILL);
  }
}

}  // namespace
}  // namespace gan::launch
