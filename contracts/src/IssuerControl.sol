// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistry} from "./IAnchorRegistry.sol";
import {RegistryBase} from "./RegistryBase.sol";

/// @title Who controls an issuer and who anchors its log; recovery after a loss
abstract contract IssuerControl is RegistryBase {
    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen controller: can hand the log to a thief, who can extend it but not rewrite it, and who lacks the
    /// log's key. The controller's answer to a stolen operator.
    function replaceOperator(bytes32 logId, address operator) external {
        Log storage record = _logs[logId];
        address previous = record.operator;
        if (previous == address(0)) revert UnknownLog(logId);
        bytes32 issuerId = record.issuerId;
        _requireController(issuerId, _openIssuer(issuerId).controller);
        if (record.superseded) revert LogIsSuperseded(logId);
        if (operator == address(0)) revert ZeroArgument("operator");

        record.operator = operator;
        emit OperatorReplaced(logId, previous, operator);
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen controller: can give the issuer away for good, because whoever is controller can veto a recovery.
    /// The council can then still suspend the issuer, open its next epoch and close it.
    function transferController(bytes32 issuerId, address controller) external {
        Issuer storage record = _openIssuer(issuerId);
        _requireController(issuerId, record.controller);

        _pendingControllers[issuerId] = controller;
        emit ControllerTransferStarted(issuerId, msg.sender, controller);
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen key of the account that was named: the issuer is the thief's, until the controller withdraws the offer
    /// in time. Two steps, so that a typing error cannot lose an issuer. A pending recovery stays pending: the new
    /// controller can veto it.
    function acceptController(bytes32 issuerId) external {
        Issuer storage record = _openIssuer(issuerId);
        address pending = _pendingControllers[issuerId];
        // No key is known for the zero address, but "nobody was named" should not rest on that.
        if (pending == address(0) || msg.sender != pending) {
            revert NotPendingController(issuerId, msg.sender, pending);
        }

        _replaceController(issuerId, record, pending);
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen council: can announce the theft of an issuer, in public, `recoveryDelay` before it could happen.
    function proposeRecovery(bytes32 issuerId, address newController, bytes32 firstKeyEvent) external onlyOwner {
        _openIssuer(issuerId);
        if (newController == address(0) && firstKeyEvent == 0) revert EmptyRecovery(issuerId);

        uint64 executableAt = uint64(block.timestamp) + recoveryDelay();
        _recoveries[issuerId] =
            Recovery({controller: newController, executableAt: executableAt, firstKeyEvent: firstKeyEvent});
        emit RecoveryProposed(issuerId, newController, firstKeyEvent, executableAt);
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen controller: can hinder the issuer's recovery for ever; see `transferController`.
    function vetoRecovery(bytes32 issuerId) external {
        Issuer storage record = _openIssuer(issuerId);
        _requireController(issuerId, record.controller);
        if (_recoveries[issuerId].executableAt == 0) revert NoRecoveryPending(issuerId);

        delete _recoveries[issuerId];
        emit RecoveryVetoed(issuerId, msg.sender);
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen council and a controller who does not look for `recoveryDelay`: the issuer belongs to the thief from
    /// the anchored size on. Entries below it keep their key chain.
    function executeRecovery(bytes32 issuerId) external onlyOwner {
        Issuer storage record = _openIssuer(issuerId);
        Recovery memory pending = _recoveries[issuerId];
        if (pending.executableAt == 0) revert NoRecoveryPending(issuerId);
        // A block producer can shift the clock by seconds; a delay that protects anybody is days.
        // slither-disable-next-line timestamp
        if (block.timestamp < pending.executableAt) {
            revert RecoveryTooEarly(pending.executableAt, uint64(block.timestamp));
        }

        delete _recoveries[issuerId];
        emit RecoveryExecuted(issuerId, pending.controller, pending.firstKeyEvent);
        if (pending.controller != address(0)) _replaceController(issuerId, record, pending.controller);
        if (pending.firstKeyEvent != 0) _replaceKeyChain(issuerId, record, pending.firstKeyEvent);
    }

    /// @dev An offer of the previous controller falls with it; otherwise a thief would take the issuer back.
    function _replaceController(bytes32 issuerId, Issuer storage record, address controller) private {
        delete _pendingControllers[issuerId];
        emit ControllerReplaced(issuerId, record.controller, controller);
        record.controller = controller;
    }

    /// @dev From the anchored size on, so that nothing anchored changes its key.
    function _replaceKeyChain(bytes32 issuerId, Issuer storage record, bytes32 firstKeyEvent) private {
        uint16 n = record.keyChains;
        uint16 epoch = record.epoch;
        uint64 startSize = _anchoredSize(_currentLogs[issuerId]);
        record.keyChains = n + 1;
        _keyChains[issuerId][n] = KeyChain({
            firstKeyEvent: firstKeyEvent, epoch: epoch, startSize: startSize, recordedAt: uint48(block.timestamp)
        });
        emit KeyChainReplaced(issuerId, n, firstKeyEvent, epoch, startSize);
    }
}
