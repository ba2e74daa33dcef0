// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mpi.h>

#include <consistency/distributed/deadline.hpp>
#include <consistency/distributed/mpi_environment.hpp>
#include <consistency/distributed/unwinding.hpp>

namespace consistency::detail {

/// A group of ranks of MPI in which none waits for ever: messages, and one call that waits for them until a
/// deadline. A rank that gives up, or leaves by an exception, tells the others.
class MpiGroup {
 public:
  MpiGroup(MPI_Comm parent, Deadline deadline) : deadline_{deadline} {
    deadline.check();
    MPI_Comm_rank(parent, &rank_);
    MPI_Comm_size(parent, &size_);
    auto const most =
        2 * static_cast<std::size_t>(size_);  // a message to and from each: asks for no memory later
    requests_.reserve(most);
    peers_.reserve(most);
    places_.reserve(most);
    statuses_.reserve(most);
    gone_.resize(static_cast<std::size_t>(size_));
    auto group = std::make_unique<MPI_Comm>(MPI_COMM_NULL);
    MPI_Request made = MPI_REQUEST_NULL;
    require_mpi(MPI_Comm_idup(parent, group.get(), &made), "MPI_Comm_idup");
    add(made, size_ == 1 ? 0 : (rank_ + 1) % size_);
    auto* const place = group.release();  // for good where a rank does not come: MPI may write there later
    wait("making the communicator");
    group.reset(place);
    group_ = *group;
    MPI_Comm_set_errhandler(group_, MPI_ERRORS_RETURN);
  }
  MpiGroup(MpiGroup&& other) noexcept
      : group_{std::exchange(other.group_, MPI_COMM_NULL)},
        rank_{other.rank_},
        size_{other.size_},
        deadline_{other.deadline_},
        requests_{std::move(other.requests_)},
        peers_{std::move(other.peers_)},
        places_{std::move(other.places_)},
        statuses_{std::move(other.statuses_)},
        gone_{std::move(other.gone_)},
        lost_{std::move(other.lost_)} {}
  MpiGroup& operator=(MpiGroup other) noexcept {
    std::swap(group_, other.group_);
    std::swap(rank_, other.rank_);
    std::swap(size_, other.size_);
    std::swap(deadline_, other.deadline_);
    std::swap(requests_, other.requests_);
    std::swap(peers_, other.peers_);
    std::swap(places_, other.places_);
    std::swap(statuses_, other.statuses_);
    std::swap(gone_, other.gone_);
    std::swap(lost_, other.lost_);
    return *this;
  }
  ~MpiGroup() {
    if (group_ == MPI_COMM_NULL || !lost_.empty()) return;
    if (unwinding_.now())
      tell(rank_);
    else if (!mpi_lost)
      MPI_Comm_free(&group_);
  }

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }

  /// Begin to send and to receive. The numbers must stay where they are until `wait` has returned.
  template <class T>
  void send(T const* data, int count, MPI_Datatype type, int to) {
    begin([&](MPI_Request* made) { return MPI_Isend(data, count, type, to, data_tag, group_, made); },
          "MPI_Isend", to);
  }
  template <class T>
  void receive(T* data, int count, MPI_Datatype type, int from) {
    begin([&](MPI_Request* made) { return MPI_Irecv(data, count, type, from, data_tag, group_, made); },
          "MPI_Irecv", from);
  }

  /// Until all that was begun is done. Throws distributed_error where a rank did not take its part before the
  /// deadline, has given up or left by an exception, and from then on at once.
  void wait(char const* operation) {
    if (!lost_.empty()) fail_lost(operation);
    auto backoff = Backoff{deadline_};
    for (auto pending = requests_.size(); pending > 0;) {
      receive();  // first: what a rank sent before it left is then there
      int done = 0;
      auto const code = MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &done,
                                     places_.data(), statuses_.data());
      if (code != MPI_SUCCESS) give_up(operation, failure(code, done), rank_);
      pending -= static_cast<std::size_t>(done);
      for (std::size_t i = 0; i < requests_.size(); ++i)
        if (auto const& why = gone_[static_cast<std::size_t>(peers_[i])];
            requests_[i] != MPI_REQUEST_NULL && !why.empty())
          give_up(operation, why, peers_[i]);
      if (pending > 0 && !backoff.wait()) give_up_waiting(operation);
    }
    forget();
  }

 private:
  static constexpr int data_tag = 0, note_tag = 1;

  template <class Begin>
  void begin(Begin const& call, char const* name, int peer) {
    if (!lost_.empty()) return;  // `wait` says so
    MPI_Request made = MPI_REQUEST_NULL;
    int done = 0;
    auto code = call(&made);
    if (code == MPI_SUCCESS) code = MPI_Test(&made, &done, MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS) {
      cancel();
      require_mpi(code, name);
    }
    if (done == 0) add(made, peer);
  }

  void add(MPI_Request request, int peer) {
    requests_.push_back(request);
    peers_.push_back(peer);
    places_.resize(requests_.size());
    statuses_.resize(requests_.size());
  }

  void forget() noexcept {
    requests_.clear();
    peers_.clear();
  }

  /// What was not received yet will not be written any more.
  void cancel() noexcept {
    for (auto& request : requests_)
      if (group_ != MPI_COMM_NULL && request != MPI_REQUEST_NULL && MPI_Cancel(&request) == MPI_SUCCESS)
        MPI_Request_free(&request);
    forget();
  }

  /// MPI's words for what failed in MPI_Testsome.
  std::string failure(int code, int done) const {
    for (std::size_t i = 0; i < static_cast<std::size_t>(done) && code == MPI_ERR_IN_STATUS; ++i)
      if (auto const own = statuses_[i].MPI_ERROR; own != MPI_SUCCESS)
        return name(peers_[static_cast<std::size_t>(places_[i])]) + ": " + mpi_text(own);
    return mpi_text(code);
  }

  /// Takes down what ranks say that have left.
  void receive() {
    while (group_ != MPI_COMM_NULL) {
      MPI_Status from{};
      int there = 0;
      if (MPI_Iprobe(MPI_ANY_SOURCE, note_tag, group_, &there, &from) != MPI_SUCCESS || there == 0) return;
      auto const teller = from.MPI_SOURCE;
      int blamed = teller;
      MPI_Recv(&blamed, 1, MPI_INT, teller, note_tag, group_, MPI_STATUS_IGNORE);
      auto const text = name(teller) + (blamed == teller  ? " has left by an error of its own"
                                        : blamed == rank_ ? " gave up on this one"
                                                          : " gave up on " + name(blamed));
      for (auto const r : {teller, blamed})
        if (auto& why = gone_[static_cast<std::size_t>(r)]; why.empty()) why = text;
    }
  }

  /// Tells all others that this rank leaves, and because of whom. Waits for nobody.
  void tell(int blamed) const noexcept {
    mpi_blamed = blamed;
    for (int r = 0; r < size_ && group_ != MPI_COMM_NULL; ++r)
      if (MPI_Request sent = MPI_REQUEST_NULL;
          r != rank_ && MPI_Isend(&mpi_blamed, 1, MPI_INT, r, note_tag, group_, &sent) == MPI_SUCCESS)
        MPI_Request_free(&sent);
  }

  [[noreturn]] void give_up_waiting(char const* operation) {
    std::set<int> silent;
    for (std::size_t i = 0; i < requests_.size(); ++i)
      if (requests_[i] != MPI_REQUEST_NULL) silent.insert(peers_[i]);
    std::string names;
    for (auto const rank : silent) names += (names.empty() ? "" : ", ") + name(rank);
    if (group_ == MPI_COMM_NULL) names = "another rank";  // MPI does not say whom it waits for
    give_up(operation, "no answer from " + names + " for " + number_text(deadline_.seconds) + " s",
            *silent.begin());
  }

  [[noreturn]] void give_up(char const* operation, std::string const& found, int blamed) {
    lost_ = found;
    mpi_lost = true;
    tell(blamed);
    cancel();
    fail_lost(operation);
  }

  [[noreturn]] void fail_lost(char const* operation) const {
    fail<distributed_error>(
        name(rank_) + " of " + number_text(size_) + ", " + operation, "a rank was lost", lost_,
        "all ranks within " + number_text(deadline_.seconds) + " s",
        "Start all ranks again from the last checkpoint; where a rank works alone for longer, with "
        "a longer Deadline.");
  }

  static std::string name(int rank) { return "rank " + number_text(rank); }

  MPI_Comm group_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  Deadline deadline_;
  std::vector<MPI_Request> requests_;  // what was begun and not waited for
  std::vector<int> peers_;             // with whom
  std::vector<int> places_;
  std::vector<MPI_Status> statuses_;
  std::vector<std::string> gone_;  // of each rank, why it will not come any more
  std::string lost_;               // why no operation can end any more; empty: all is well
  Unwinding unwinding_;
};

}  // namespace consistency::detail
