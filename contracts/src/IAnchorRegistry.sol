// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistryErrors} from "./IAnchorRegistryErrors.sol";
import {IAnchorRegistryEvents} from "./IAnchorRegistryEvents.sol";

/// @title A register of issuers and of the heads of their append-only logs
/// @notice Promises: an anchored root is only ever replaced by an extension of itself, proven on chain (RFC 9162
/// §2.1.4.2); sizes, sequences and statements never fall; the time of every anchor is kept for ever; a closed issuer
/// stays closed. No role can break these, the council included. The code is immutable and has no proxy, and the
/// storage layout is part of the evidence format (docs/spec/storage-layout.md).
/// @dev Three roles. Per log the `operator`: hot key of the hosting node, anchors. Per issuer the `controller`: cold
/// key, replaces the operator, opens the next epoch, closes. Once the council, `owner()`: admits, suspends,
/// reinstates, closes, recovers. Sizes count log entries, times are Unix seconds.
interface IAnchorRegistry is IAnchorRegistryErrors, IAnchorRegistryEvents {
    /// @notice `None` is "never admitted", `Closed` is final.
    enum Lifecycle {
        None,
        Active,
        Suspended,
        Closed
    }

    /// @param identity SHA-256 of the canonical admission document (slug, DID, first key event)
    /// @param controller the issuer's cold key
    /// @param lifecycle outranks whatever documents say
    /// @param epoch of the current log; its origin is `<registry name>/<slug>/<epoch>`
    /// @param statement the highest statement sequence anchored so far, over all epochs
    /// @param suspensions how many there ever were; zero proves that there was none
    /// @param keyChains how many replacements of the first key chain; zero proves that there was none
    /// @param custodian issuer id of who speaks for a closed issuer; zero if nobody, or not closed
    struct Issuer {
        bytes32 identity;
        address controller;
        Lifecycle lifecycle;
        uint16 epoch;
        uint32 statement;
        uint16 suspensions;
        uint16 keyChains;
        bytes32 custodian;
    }

    /// @param root of the newest anchored tree; zero before the first anchor
    /// @param operator may anchor
    /// @param sequence number of anchors so far; `history(logId, sequence)` is the head
    /// @param key SHA-256 of the ASCII text of the log's verifier key, fixed for the epoch
    /// @param issuerId whose log this is
    /// @param goodSize once superseded: entries with an index below it stay good for ever
    /// @param epoch of this log
    /// @param superseded by the next epoch: takes nothing more
    struct Log {
        bytes32 root;
        address operator;
        uint64 sequence;
        bytes32 key;
        bytes32 issuerId;
        uint64 goodSize;
        uint16 epoch;
        bool superseded;
    }

    /// @notice "Entry i existed at `timestamp`" is `size > i`: roots only grow, so the newest root proves old entries.
    struct Anchor {
        uint64 size;
        uint64 blockNumber;
        uint64 timestamp;
        uint32 statement;
    }

    /// @notice Entry (epoch, index) is inside if (fromEpoch, fromSize) <= (epoch, index) < (untilEpoch, untilSize),
    /// compared lexicographically. Open, so without an upper end, while `reinstatedAt` is zero.
    struct Suspension {
        uint16 fromEpoch;
        uint64 fromSize;
        uint16 untilEpoch;
        uint64 untilSize;
        uint48 suspendedAt;
        uint48 reinstatedAt;
    }

    /// @notice A key chain that replaces the one before for entries from (epoch, startSize) on.
    struct KeyChain {
        bytes32 firstKeyEvent;
        uint16 epoch;
        uint64 startSize;
        uint48 recordedAt;
    }

    /// @notice Pending while `executableAt` is not zero. A zero controller or first key event leaves it as it is.
    struct Recovery {
        address controller;
        uint64 executableAt;
        bytes32 firstKeyEvent;
    }

    /// @notice The arguments of one `anchor`.
    struct AnchorCall {
        bytes32 logId;
        uint64 oldSize;
        uint64 size;
        bytes32 root;
        uint32 statement;
        bytes32[] proof;
    }

    // --- operator --------------------------------------------------------------------------------------------------

    /// @notice Make (`size`, `root`, `statement`) the head of the log. Repeating the head changes nothing and does not
    /// revert, so retries and races are harmless. Works while the issuer is suspended: learners still need
    /// revocations.
    /// @param oldSize the anchored size the proof starts from; anything but the current one is refused
    /// @param proof RFC 9162 §2.1.4.1, from `oldSize` to `size`, in its order; empty when `oldSize` is zero
    function anchor(
        bytes32 logId,
        uint64 oldSize,
        uint64 size,
        bytes32 root,
        uint32 statement,
        bytes32[] calldata proof
    ) external;

    /// @notice `anchor` for each call in order; all or nothing.
    function anchorMany(AnchorCall[] calldata calls) external;

    // --- controller ------------------------------------------------------------------------------------------------

    /// @notice Let another account anchor this log.
    function replaceOperator(bytes32 logId, address operator) external;

    /// @notice Offer the control of an issuer to another account; zero withdraws the offer.
    function transferController(bytes32 issuerId, address controller) external;

    /// @notice Take the offered control.
    function acceptController(bytes32 issuerId) external;

    /// @notice Drop the council's pending recovery.
    function vetoRecovery(bytes32 issuerId) external;

    // --- controller or council -------------------------------------------------------------------------------------

    /// @notice Succeed the current log of an issuer by an empty one in the next epoch.
    /// @param epoch the issuer's current epoch, which ends; anything else is refused, so that calls that race or are
    /// repeated open one epoch and not two
    /// @param goodSize the predecessor's last good size, at least its anchored size; of the entries between the two this
    /// contract knows how many and not which, so witnesses must refuse new checkpoints of a superseded log
    function openEpoch(string calldata slug, uint16 epoch, address operator, bytes32 logKey, uint64 goodSize) external;

    /// @notice Close an issuer for ever at the anchored size of its current log.
    /// @param custodian who speaks for it from now on: an admitted issuer that is not closed, or zero
    /// @param size the anchored size of the current log; anything else is refused, so that an issuer is only ever
    /// closed on a head that whoever closes it has seen
    function close(bytes32 issuerId, bytes32 custodian, uint64 size) external;

    // --- council ---------------------------------------------------------------------------------------------------

    /// @notice Admit an issuer and open epoch 1 of its log.
    /// @param identity SHA-256 of the canonical admission document
    /// @param logKey SHA-256 of the ASCII text of the log's verifier key
    function admit(
        string calldata slug,
        string calldata did,
        bytes32 identity,
        address controller,
        address operator,
        bytes32 logKey
    ) external;

    /// @notice Refuse what the issuer logs beyond the anchored size; its anchors go on.
    function suspend(bytes32 issuerId) external;

    /// @notice End the suspension at the anchored size. What was anchored meanwhile stays refused; what was logged
    /// meanwhile and is anchored later counts as logged later.
    function reinstate(bytes32 issuerId) external;

    /// @notice Announce a replacement of a lost controller, a lost key chain, or both. Replaces a pending proposal and
    /// starts the delay anew.
    function proposeRecovery(bytes32 issuerId, address newController, bytes32 firstKeyEvent) external;

    /// @notice Carry out the pending recovery once its delay is over.
    function executeRecovery(bytes32 issuerId) external;

    /// @notice Name the next contract, once.
    function setSuccessor(address next) external;

    // --- views: an unknown id gives zeros --------------------------------------------------------------------------

    /// @notice The record of an issuer.
    function issuer(bytes32 issuerId) external view returns (Issuer memory);

    /// @notice The record of a log.
    function log(bytes32 logId) external view returns (Log memory);

    /// @notice The newest anchor of a log; its root is in `log(logId)`.
    function head(bytes32 logId) external view returns (Anchor memory);

    /// @notice Anchor number `sequence` of a log, counted from 1.
    function history(bytes32 logId, uint64 sequence) external view returns (Anchor memory);

    /// @notice Suspension `n` of an issuer, counted from 0.
    function suspension(bytes32 issuerId, uint16 n) external view returns (Suspension memory);

    /// @notice Replacement `n` of an issuer's key chain, counted from 0. The first chain, that of the admission
    /// document, is not in this list.
    function keyChain(bytes32 issuerId, uint16 n) external view returns (KeyChain memory);

    /// @notice The pending recovery of an issuer.
    function recovery(bytes32 issuerId) external view returns (Recovery memory);

    /// @notice To whom the controller has offered its place.
    function pendingController(bytes32 issuerId) external view returns (address);

    /// @notice The issuer's current log.
    function currentLog(bytes32 issuerId) external view returns (bytes32 logId);

    /// @notice Which issuer a DID belongs to.
    function issuerOf(string calldata did) external view returns (bytes32 issuerId);

    /// @notice SHA-256 of `<registry name>/<slug>`, admitted or not.
    function issuerIdOf(string calldata slug) external view returns (bytes32 issuerId);

    /// @notice SHA-256 of the origin `<registry name>/<slug>/<epoch>`, opened or not.
    function logIdOf(string calldata slug, uint16 epoch) external view returns (bytes32 logId);

    /// @notice The highest statement sequence `anchor` takes at this moment.
    function highestStatement() external view returns (uint256);

    /// @notice The name all origins start with.
    function registryName() external view returns (string memory);

    /// @notice Seconds between the proposal of a recovery and its execution.
    function recoveryDelay() external view returns (uint64);

    /// @notice The next contract, or zero.
    function successor() external view returns (address);

    /// @notice Version of these semantics and of the storage layout.
    function version() external pure returns (uint256);
}
