// Runs a command of the user for an alert.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace gan::monitoring {

// Runs `command` in /bin/sh with `input` on its standard input and without output, and waits for its end. After
// `timeout`, or when `is_stopping` returns true, its whole process group is killed. The command travels in the
// environment, so it does not appear in the list of processes; the shell removes it from there. Returns "" when its
// exit code was 0, otherwise the reason, without the command.
std::string RunAlertCommand(const std::string& command, const std::string& input, std::chrono::milliseconds timeout,
                            const std::function<bool()>& is_stopping);

// The running shells of such commands, as processes of this program. For a program that ends all of its other children,
// as gan-launch does between two attempts. Every shell that exists when the call begins is in the list.
std::vector<pid_t> AlertCommands();

}  // namespace gan::monitoring
