// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

interface IConsistencyHarness {
    function verify(bytes32[] calldata proof, uint64 oldSize, bytes32 oldRoot, uint64 size, bytes32 root) external view;
    function node(bytes32 left, bytes32 right) external view returns (bytes32);
}
