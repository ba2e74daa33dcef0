#pragma once

#include <cstddef>
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
    auto group = MPI_COMM_NULL;
    MPI_Request made = MPI_REQUEST_NULL;
    require_mpi(MPI_Comm_idup(parent, &group, &made), "MPI_Comm_idup");
    add(made, size_ == 1 ? 0 : (rank_ + 1) % size_);
    wait("making the communicator");
    group_ = group;
    MPI_Comm_set_errhandler(group_, MPI_ERRORS_RETURN);
  }
  MpiGroup(MpiGroup&& other) noexcept
      : group_{std::exchange(other.group_, MPI_COMM_NULL)},
        rank_{other.rank_},
        size_{other.size_},
        deadline_{other.deadline_},
        lost_{std::move(other.lost_)} {}
  MpiGroup& operator=(MpiGroup other) noexcept {
    std::swap(group_, other.group_);
    std::swap(rank_, other.rank_);
    std::swap(size_, other.size_);
    std::swap(deadline_, other.deadline_);
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
    require_whole(operation);
    auto patience = Patience{deadline_};
    for (int done = 0;;) {
      auto const code =
          MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, statuses_.data());
      if (code != MPI_SUCCESS) give_up(operation, failure(code), rank_);
      if (done != 0) break;
      if (auto const [told, blamed] = note(); !told.empty()) give_up(operation, told, blamed);
      if (!patience.wait()) give_up_waiting(operation);
    }
    forget();
  }

 private:
  static constexpr int data_tag = 0, note_tag = 1;

  struct Note {
    std::string text;  // empty: nobody has given up
    int blamed = 0;
  };

  template <class Begin>
  void begin(Begin const& call, char const* name, int peer) {
    require_whole(name);
    MPI_Request made = MPI_REQUEST_NULL;
    if (auto const code = call(&made); code != MPI_SUCCESS) {
      cancel();
      require_mpi(code, name);
    }
    add(made, peer);
  }

  void add(MPI_Request request, int peer) {
    requests_.push_back(request);
    peers_.push_back(peer);
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

  /// MPI's words for what failed in MPI_Testall.
  std::string failure(int code) const {
    for (std::size_t i = 0; i < requests_.size() && code == MPI_ERR_IN_STATUS; ++i)
      if (auto const own = statuses_[i].MPI_ERROR; own != MPI_SUCCESS && own != MPI_ERR_PENDING)
        return name(peers_[i]) + ": " + mpi_text(own);
    return mpi_text(code);
  }

  /// What a rank says that has given up.
  Note note() const {
    int there = 0;
    MPI_Status from{};
    if (group_ != MPI_COMM_NULL) MPI_Iprobe(MPI_ANY_SOURCE, note_tag, group_, &there, &from);
    if (there == 0) return {};
    int blamed = 0;
    MPI_Recv(&blamed, 1, MPI_INT, from.MPI_SOURCE, note_tag, group_, MPI_STATUS_IGNORE);
    auto const teller = name(from.MPI_SOURCE);
    if (blamed == from.MPI_SOURCE) return {teller + " has left by an error of its own", blamed};
    return {teller + " gave up on " + (blamed == rank_ ? "this one" : name(blamed)), blamed};
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
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      int done = 0;
      if (MPI_Test(&requests_[i], &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || done == 0)
        silent.insert(peers_[i]);
    }
    std::string names;
    for (auto const rank : silent) names += (names.empty() ? "" : ", ") + name(rank);
    give_up(operation, "no answer from " + names + " for " + number_text(deadline_.seconds) + " s",
            silent.empty() ? rank_ : *silent.begin());
  }

  [[noreturn]] void give_up(char const* operation, std::string const& found, int blamed) {
    lost_ = found;
    mpi_lost = true;
    tell(blamed);
    cancel();
    refuse(operation);
  }

  void require_whole(char const* operation) const {
    if (!lost_.empty()) refuse(operation);
  }

  [[noreturn]] void refuse(char const* operation) const {
    throw distributed_error{
        {.where = name(rank_) + " of " + number_text(size_) + ", " + operation,
         .what = "a rank was lost",
         .found = lost_,
         .expected = "all ranks within " + number_text(deadline_.seconds) + " s",
         .advice =
             "Start all ranks again from the last checkpoint; where a rank works alone for longer, with "
             "a longer Deadline."}};
  }

  static std::string name(int rank) { return "rank " + number_text(rank); }

  MPI_Comm group_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  Deadline deadline_;
  std::vector<MPI_Request> requests_;  // what was begun and not waited for
  std::vector<int> peers_;             // with whom
  std::vector<MPI_Status> statuses_;
  std::string lost_;  // why no operation can end any more; empty: all is well
  Unwinding unwinding_;
};

}  // namespace consistency::detail
