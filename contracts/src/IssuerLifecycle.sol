// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistry} from "./IAnchorRegistry.sol";
import {Names} from "./Names.sol";
import {RegistryBase} from "./RegistryBase.sol";

/// @title Admission, epochs, suspension and closure of issuers
abstract contract IssuerLifecycle is RegistryBase {
    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen council: can admit impostors under free slugs and DIDs. It cannot take the slug or DID of anybody
    /// who is or was here, and verifiers also ask for accreditation and witnesses.
    function admit(
        string calldata slug,
        string calldata did,
        bytes32 identity,
        address controller,
        address operator,
        bytes32 logKey
    ) external onlyOwner {
        if (!Names.isSlug(slug)) revert BadSlug(slug);
        if (!Names.isDid(did)) revert BadDid(did);
        if (identity == 0) revert ZeroArgument("identity");
        if (controller == address(0)) revert ZeroArgument("controller");
        bytes32 issuerId = Names.issuerId(_registryName, slug);
        Issuer storage record = _issuers[issuerId];
        if (record.lifecycle != Lifecycle.None) revert IssuerExists(issuerId);
        bytes32 didDigest = sha256(bytes(did));
        if (_issuerOfDid[didDigest] != 0) revert DidTaken(_issuerOfDid[didDigest]);

        _issuerOfDid[didDigest] = issuerId;
        record.identity = identity;
        record.controller = controller;
        record.lifecycle = Lifecycle.Active;
        emit IssuerAdmitted(issuerId, slug, did, identity, controller);
        _openLog(record, issuerId, slug, operator, logKey);
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen controller or council: can move the issuer to a log of the thief and set any good size above what
    /// is anchored. What is anchored stays provable; the thief still needs the issuer's signing keys to issue, and
    /// witnesses see the move. Controller and council may act in one block; `epoch` lets the first of them through.
    function openEpoch(string calldata slug, uint16 epoch, address operator, bytes32 logKey, uint64 goodSize) external {
        bytes32 issuerId = Names.issuerId(_registryName, slug);
        Issuer storage record = _openIssuer(issuerId);
        _requireControllerOrCouncil(issuerId, record.controller);
        if (epoch != record.epoch) revert StaleEpoch(epoch, record.epoch);
        bytes32 oldLogId = _currentLogs[issuerId];
        Log storage oldLog = _logs[oldLogId];
        if (logKey == oldLog.key) revert LogKeyReused(logKey);
        uint64 anchored = _anchoredSize(oldLogId);
        if (goodSize < anchored) revert GoodSizeTooSmall(goodSize, anchored);
        if (goodSize > MAX_TREE_SIZE) revert TreeTooLarge(goodSize, MAX_TREE_SIZE);

        oldLog.goodSize = goodSize;
        oldLog.superseded = true;
        emit LogSuperseded(oldLogId, issuerId, goodSize);
        _openLog(record, issuerId, slug, operator, logKey);
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen council: can discredit what an issuer logs from now on, in public and with both ends on record. It
    /// cannot reach back: the interval starts at the anchored size.
    function suspend(bytes32 issuerId) external onlyOwner {
        Issuer storage record = _openIssuer(issuerId);
        if (record.lifecycle == Lifecycle.Suspended) revert IssuerIsSuspended(issuerId);
        uint16 n = record.suspensions;
        uint16 epoch = record.epoch;
        uint64 size = _anchoredSize(_currentLogs[issuerId]);

        record.lifecycle = Lifecycle.Suspended;
        record.suspensions = n + 1;
        _suspensions[issuerId][n] = Suspension({
            fromEpoch: epoch,
            fromSize: size,
            untilEpoch: 0,
            untilSize: 0,
            suspendedAt: uint48(block.timestamp),
            reinstatedAt: 0
        });
        emit IssuerSuspended(issuerId, n, epoch, size);
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen council: can end a suspension early, from now on. What was anchored inside stays refused. The host
    /// decides when it anchors: look for a fresh anchor before this call.
    function reinstate(bytes32 issuerId) external onlyOwner {
        Issuer storage record = _openIssuer(issuerId);
        if (record.lifecycle != Lifecycle.Suspended) revert IssuerNotSuspended(issuerId);
        uint16 n = record.suspensions - 1;
        uint16 epoch = record.epoch;
        uint64 size = _anchoredSize(_currentLogs[issuerId]);

        record.lifecycle = Lifecycle.Active;
        Suspension storage interval = _suspensions[issuerId][n];
        interval.untilEpoch = epoch;
        interval.untilSize = size;
        interval.reinstatedAt = uint48(block.timestamp);
        emit IssuerReinstated(issuerId, n, epoch, size);
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen controller or council: can end an issuer for ever, and name a custodian of its liking, who can then
    /// add revocations but never clear one. It cannot touch what is anchored. An issuer closed by a thief is admitted
    /// again under another slug and DID. Stolen operator: can put a closure off, by an anchor in front of it, until it is
    /// replaced or its log succeeded, but not have it happen on a false head: one log has one head of one size. A
    /// suspension that is open at closure stays open.
    function close(bytes32 issuerId, bytes32 custodian, uint64 size) external {
        Issuer storage record = _openIssuer(issuerId);
        _requireControllerOrCouncil(issuerId, record.controller);
        bytes32 logId = _currentLogs[issuerId];
        uint64 anchored = _anchoredSize(logId);
        if (size != anchored) revert StaleTreeSize(size, anchored);
        if (custodian != 0) {
            Lifecycle state = _issuers[custodian].lifecycle;
            if (custodian == issuerId || state == Lifecycle.None || state == Lifecycle.Closed) {
                revert BadCustodian(custodian);
            }
        }

        record.lifecycle = Lifecycle.Closed;
        record.custodian = custodian;
        delete _recoveries[issuerId];
        delete _pendingControllers[issuerId];
        emit IssuerClosed(issuerId, custodian, logId, size);
    }

    function _openLog(Issuer storage record, bytes32 issuerId, string calldata slug, address operator, bytes32 logKey)
        private
    {
        if (operator == address(0)) revert ZeroArgument("operator");
        if (logKey == 0) revert ZeroArgument("logKey");
        uint16 epoch = record.epoch + 1;
        bytes32 logId = Names.logId(_registryName, slug, epoch);
        record.epoch = epoch;
        _currentLogs[issuerId] = logId;
        Log storage opened = _logs[logId];
        opened.operator = operator;
        opened.key = logKey;
        opened.issuerId = issuerId;
        opened.epoch = epoch;
        emit LogOpened(logId, issuerId, epoch, operator, logKey);
    }
}
