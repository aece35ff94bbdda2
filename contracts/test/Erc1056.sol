// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The calls and events of ERC-1056 that tests of did:ethr need, without its signed variants.
contract Erc1056 {
    mapping(address identity => address owner) private owners;
    mapping(address identity => uint256 blockNumber) public changed;

    event DIDOwnerChanged(address indexed identity, address owner, uint256 previousChange);
    event DIDDelegateChanged(
        address indexed identity, bytes32 delegateType, address delegate, uint256 validTo, uint256 previousChange
    );
    event DIDAttributeChanged(
        address indexed identity, bytes32 name, bytes value, uint256 validTo, uint256 previousChange
    );

    error NotOwner(address identity);

    modifier onlyOwner(address identity) {
        if (msg.sender != identityOwner(identity)) revert NotOwner(identity);
        _;
        changed[identity] = block.number;
    }

    function changeOwner(address identity, address newOwner) external onlyOwner(identity) {
        owners[identity] = newOwner;
        emit DIDOwnerChanged(identity, newOwner, changed[identity]);
    }

    function addDelegate(address identity, bytes32 delegateType, address delegate, uint256 validity)
        external
        onlyOwner(identity)
    {
        emit DIDDelegateChanged(identity, delegateType, delegate, block.timestamp + validity, changed[identity]);
    }

    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external onlyOwner(identity) {
        emit DIDDelegateChanged(identity, delegateType, delegate, block.timestamp, changed[identity]);
    }

    function setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validity)
        external
        onlyOwner(identity)
    {
        emit DIDAttributeChanged(identity, name, value, block.timestamp + validity, changed[identity]);
    }

    function revokeAttribute(address identity, bytes32 name, bytes calldata value) external onlyOwner(identity) {
        emit DIDAttributeChanged(identity, name, value, 0, changed[identity]);
    }

    function identityOwner(address identity) public view returns (address) {
        address owner = owners[identity];
        return owner == address(0) ? identity : owner;
    }
}
